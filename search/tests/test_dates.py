"""Times in queries; no database."""

from datetime import date

import pytest

from search.dates import Period, find_period

TODAY = date(2026, 11, 28)  # a Saturday


@pytest.mark.parametrize(
    ("text", "start", "end", "rest"),
    [
        ("a dog in 2019", "2019-01-01", "2020-01-01", "a dog"),
        ("dog 2024", "2024-01-01", "2025-01-01", "dog"),
        ("beach June 2020", "2020-06-01", "2020-07-01", "beach"),
        ("sept. 2020", "2020-09-01", "2020-10-01", ""),
        ("March 2019", "2019-03-01", "2019-04-01", ""),
        ("2019-07", "2019-07-01", "2019-08-01", ""),
        ("2019-07-14", "2019-07-14", "2019-07-15", ""),
        ("14.7.2019", "2019-07-14", "2019-07-15", ""),
        ("on 14 July 2019", "2019-07-14", "2019-07-15", ""),
        ("July 14th, 2019", "2019-07-14", "2019-07-15", ""),
        ("a cake in summer 2019", "2019-06-01", "2019-09-01", "a cake"),
        ("winter 2019", "2019-12-01", "2020-03-01", ""),
        ("christmas 2019", "2019-12-24", "2019-12-27", ""),
        ("new year’s eve 2020", "2020-12-31", "2021-01-01", ""),
        ("the 1990s", "1990-01-01", "2000-01-01", ""),
        ("90s party", "1990-01-01", "2000-01-01", "party"),
        ("the 10s", "2010-01-01", "2020-01-01", ""),
        ("today", "2026-11-28", "2026-11-29", ""),
        ("cats yesterday", "2026-11-27", "2026-11-28", "cats"),
        ("last week", "2026-11-16", "2026-11-23", ""),
        ("this weekend", "2026-11-28", "2026-11-30", ""),
        ("last month", "2026-10-01", "2026-11-01", ""),
        ("this year", "2026-01-01", "2027-01-01", ""),
        ("last summer", "2026-06-01", "2026-09-01", ""),
        ("last december", "2025-12-01", "2026-01-01", ""),
        ("this december", "2026-12-01", "2027-01-01", ""),
        ("3 years ago", "2023-01-01", "2024-01-01", ""),
        ("two weeks ago", "2026-11-09", "2026-11-16", ""),
        ("a day ago", "2026-11-27", "2026-11-28", ""),
        ("boats in the last 3 months", "2026-08-28", "2026-11-29", "boats"),
        ("between 2015 and 2018", "2015-01-01", "2019-01-01", ""),
        ("2015-2018 hiking", "2015-01-01", "2019-01-01", "hiking"),
        ("from May to July 2019", "2019-05-01", "2019-08-01", ""),
        ("december 2019 – march 2020", "2019-12-01", "2020-04-01", ""),
        ("since 2018", "2018-01-01", None, ""),
        ("after March 2018", "2018-04-01", None, ""),
        ("before 2010", None, "2010-01-01", ""),
        ("dogs until 2010", None, "2011-01-01", "dogs"),
    ],
)
def test_a_time_is_found_in_a_query(text: str, start: str | None, end: str | None, rest: str) -> None:
    first, behind = (date.fromisoformat(day) if day else None for day in (start, end))
    assert find_period(text, today=TODAY) == (Period(first, behind), rest)


@pytest.mark.parametrize(
    ("text", "month", "day"),
    [
        ("in june", 6, None),
        ("december", 12, None),
        ("in may", 5, None),
        ("14 july", 7, 14),
        ("on the 1st of May", 5, 1),
        ("february 29", 2, 29),
        ("on this day", 11, 28),
    ],
)
def test_a_time_without_a_year_is_of_every_year(text: str, month: int, day: int | None) -> None:
    assert find_period(text, today=TODAY) == (Period(month=month, day=day), "")


@pytest.mark.parametrize(
    "text",
    [
        "a winter landscape",
        "summer",
        "may flowers",
        "people march in the street",
        "2500 soldiers",
        "1200",
        "1080p",
        "room 101",
        "a 24-year-old",
        "2019-99-99",
        "999 years ago",
        "the last of us",
        "",
    ],
)
def test_words_that_are_no_time_stay(text: str) -> None:
    assert find_period(text, today=TODAY) == (None, text)


def test_years_in_the_wrong_order_are_no_span() -> None:
    assert find_period("between 2018 and 2015", today=TODAY)[0] == Period(date(2018, 1, 1), date(2019, 1, 1))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2019", "2019"),
        ("2015-2018", "2015–2018"),
        ("june 2019", "June 2019"),
        ("14.7.2019", "14 July 2019"),
        ("summer 2019", "1 June 2019 – 31 August 2019"),
        ("since 2018", "since 1 January 2018"),
        ("before 2010", "until 31 December 2009"),
        ("in june", "June of any year"),
        ("14 july", "14 July of any year"),
    ],
)
def test_a_time_is_said_in_words(text: str, words: str) -> None:
    assert str(find_period(text, today=TODAY)[0]) == words
