"""What names of files tell about how photos belong together."""

import pytest

from photos.stacks.shot_names import BurstName, ShotName, read_burst_name, read_shot_name, shot_key


@pytest.mark.parametrize(
    ("name", "base", "is_edited"),
    [
        ("DSC_0001.NEF", "dsc_0001", False),
        ("dsc_0001.jpg", "dsc_0001", False),
        ("IMG_1234.HEIC", "img_1234", False),
        ("IMG_E1234.HEIC", "img_1234", True),
        ("IMG_1234-edited.jpg", "img_1234", True),
        ("IMG_1234-bearbeitet.jpg", "img_1234", True),
        ("IMG_1234-Edit-2.tif", "img_1234", True),
        ("PXL_20210102_030405678~2.jpg", "pxl_20210102_030405678", True),
        ("PXL_20210102_030405678.RAW-01.COVER.jpg", "pxl_20210102_030405678", True),
        ("PXL_20210102_030405678.RAW-02.ORIGINAL.dng", "pxl_20210102_030405678", False),
        ("-edited.jpg", "-edited", False),
        ("IMG_EVENING.jpg", "img_evening", False),
    ],
)
def test_a_name_tells_the_shot(name: str, base: str, is_edited: bool) -> None:
    assert read_shot_name(name) == ShotName(base, is_edited)


@pytest.mark.parametrize(
    ("name", "key", "is_cover"),
    [
        ("00000IMG_00000_BURST20190821145343231.jpg", "burst20190821145343231", False),
        ("00100lPORTRAIT_00100_BURST20190821145343231_COVER.jpg", "burst20190821145343231", True),
        ("20200203_151515_Burst01.jpg", "20200203_151515", False),
        ("IMG_20170820_105216_BURST001_COVER.jpg", "img_20170820_105216", True),
        ("20160402_112345_001.jpg", "", False),
        ("starburst1.jpg", "", False),
        ("IMG_1234.jpg", "", False),
    ],
)
def test_a_name_tells_the_burst(name: str, key: str, is_cover: bool) -> None:
    assert read_burst_name(name) == BurstName(key, is_cover)


def test_files_of_one_shot_in_one_folder_share_their_key() -> None:
    key = shot_key("IMG_1.CR2", "/photos/2024/IMG_1.CR2")
    assert key == shot_key("IMG_1.JPG", "/photos/2024/IMG_1.JPG")
    assert key != shot_key("IMG_1.JPG", "/photos/2025/IMG_1.JPG")
    assert shot_key("IMG_1.JPG", "") is None
