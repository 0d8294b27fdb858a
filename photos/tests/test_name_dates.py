from datetime import datetime

import pytest

from photos.dates.name_dates import NameDate, date_from_name

MOMENT = datetime(2020, 1, 31, 12, 34, 56)
FRACTION = MOMENT.replace(microsecond=789_000)


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("WhatsApp Image 2020-01-31 at 12.34.56.jpeg", MOMENT),
        ("WhatsApp Image 2020-01-31 at 0.34.56 PM (1).jpeg", None),
        ("WhatsApp Image 2020-01-31 at 12.34.56 PM.jpeg", MOMENT),
        ("Screenshot_20200131-123456_Browser.png", MOMENT),
        ("Screenshot_2020-01-31-12-34-56-789_com.app.png", FRACTION),
        ("Screenshot 2020-01-31 at 12.34.56.png", MOMENT),
        ("Screen Shot 2020-01-31 at 0.34.56.png", MOMENT.replace(hour=0)),
        ("Screenshot from 2020-01-31 12-34-56.png", MOMENT),
        ("Bildschirmfoto 2020-01-31 um 12.34.56.png", MOMENT),
        ("signal-2020-01-31-123456.jpg", MOMENT),
        ("signal-2020-01-31-12-34-56-789-1.jpg", FRACTION),
        ("IMG_20200131_123456.jpg", MOMENT),
        ("IMG_20200131_123456789_HDR.jpg", FRACTION),
        ("VID_20200131_123456.mp4", MOMENT),
        ("MVIMG_20200131_123456.jpg", MOMENT),
        ("20200131_123456(0).jpg", MOMENT),
        ("DSC_20200131_123456.JPG", MOMENT),
        ("photo_2020-01-31_12-34-56 (2).jpg", MOMENT),
        ("photo_5@31-01-2020_12-34-56.jpg", MOMENT),
        ("2020-01-31 12.34.56.jpg", MOMENT),
        ("WP_20200131_12_34_56_Pro.jpg", MOMENT),
    ],
)
def test_a_name_tells_the_wall_clock(name: str, moment: datetime | None) -> None:
    found = date_from_name(name)
    if moment is None:
        assert found is None or not found.has_time
    else:
        assert found == NameDate(moment)


@pytest.mark.parametrize(
    "name",
    [
        "PXL_20200131_123456789.jpg",
        "PXL_20200131_123456789.PORTRAIT~2.jpg",
        "image_2020_01_31T12_34_56_789Z.png",
        "1580474096789.jpg",
        "FB_IMG_1580474096789.jpg",
        "mmexport1580474096789.jpg",
    ],
)
def test_some_names_tell_an_instant(name: str) -> None:
    assert date_from_name(name) == NameDate(FRACTION, is_utc=True)


@pytest.mark.parametrize(
    "name", ["IMG-20200131-WA0001.jpg", "2020-01-31 wedding.jpg", "2020.01.31_12345.png"]
)
def test_some_names_tell_a_day(name: str) -> None:
    assert date_from_name(name) == NameDate(datetime(2020, 1, 31), has_time=False)


@pytest.mark.parametrize(
    "name",
    [
        "DSC_0123.JPG",
        "IMG_1234.HEIC",
        "received_10158047409600012.jpeg",
        "+491701234567.jpg",
        "19120501.jpg",
        "20211345_000000.jpg",
        "2021-13-45.jpg",
        "0000-00-00.jpg",
        "IMG_20190203_250506.jpg",
        "",
    ],
)
def test_a_number_is_no_date(name: str) -> None:
    assert date_from_name(name) is None


def test_an_old_scan_is_dated_when_the_date_is_written_out() -> None:
    assert date_from_name("1912-05-01 harvest.tif") == NameDate(datetime(1912, 5, 1), has_time=False)
