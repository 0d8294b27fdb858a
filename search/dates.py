"""Times in a query: “summer 2019”, “in June”, “two weeks ago”, “between 2015 and 2018”, “14 July”.

English, because the words around a date have to be English too. A word that is also something to look at or
to do (“summer”, “march”, “may”) is a time only beside a year or behind “in”, “last” and the like; “a winter
landscape” stays what it is.
"""

import calendar
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

FIRST_YEAR = 1826  # of the oldest photograph that is left
MONTHS = {name.casefold(): number for number, name in enumerate(calendar.month_name) if name}
MONTHS |= {name.casefold(): number for number, name in enumerate(calendar.month_abbr) if name} | {"sept": 9}
SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}  # meteorological, of the north
FEASTS = {  # first and last day
    "christmas eve": ((12, 24), (12, 24)),
    "christmas": ((12, 24), (12, 26)),
    "new year's eve": ((12, 31), (12, 31)),
    "new years eve": ((12, 31), (12, 31)),
    "new year": ((1, 1), (1, 1)),
    "halloween": ((10, 31), (10, 31)),
    "valentine's day": ((2, 14), (2, 14)),
    "valentines day": ((2, 14), (2, 14)),
}
COUNTS = "zero one two three four five six seven eight nine ten".split()  # noqa: SIM905 - as one reads it
NUMBERS = {word: number for number, word in enumerate(COUNTS)} | {"a": 1, "an": 1, "few": 3, "a few": 3}
AMBIGUOUS = frozenset(["march", "may"])


@dataclass(frozen=True)
class Period:
    """When photos were taken, by the wall clock: from `start` to before `end` (None: open), and in each year
    only in `month` and on `day` where these are given.
    """

    start: date | None = None
    end: date | None = None
    month: int | None = None
    day: int | None = None

    def __str__(self) -> str:
        """In words: “2019”, “June 2019”, “14 July 2019”, “since 1 March 2018”, “14 July of any year”."""
        if self.month is not None:
            day = f"{self.day} " if self.day is not None else ""
            return f"{day}{calendar.month_name[self.month]} of any year"
        last = self.end - timedelta(days=1) if self.end is not None else None
        if self.start is None or last is None:
            return f"since {in_words(self.start)}" if self.start else f"until {in_words(last)}"
        if self.start == last:
            return in_words(last)
        if (self.start.month, self.start.day, last.month, last.day) == (1, 1, 12, 31):
            return f"{self.start.year}" if self.start.year == last.year else f"{self.start.year}–{last.year}"
        if self.start.day == 1 and months_from(self.start.year, self.start.month).end == self.end:
            return f"{calendar.month_name[self.start.month]} {self.start.year}"
        return f"{in_words(self.start)} – {in_words(last)}"


def in_words(day: date | None) -> str:
    return f"{day.day} {calendar.month_name[day.month]} {day.year}" if day is not None else ""


def find_period(text: str, *, today: date) -> tuple[Period | None, str]:
    """The first time in a text, and the text without it. The longest reading wins: a date before its year."""
    for pattern, read in READINGS:
        for match in re.finditer(rf"(?<![\w-])(?:{pattern})(?![\w-])", text, re.IGNORECASE):
            groups = {name: value.casefold() for name, value in match.groupdict().items() if value}
            if (period := read(groups, today)) is not None:
                rest = f"{text[: match.start()]} {text[match.end() :]}"
                return period, " ".join(rest.split())
    return None, text


def between(start: date | None, end: date | None) -> Period:
    return Period(start, end)


def one_day(day: date) -> Period:
    return between(day, day + timedelta(days=1))


def months_from(year: int, month: int, count: int = 1) -> Period:
    """`count` months from this one on; months beyond the twelfth are of later years."""
    first, behind = (year * 12 + month - 1 + shift for shift in (0, count))
    return between(*(date(index // 12, index % 12 + 1, 1) for index in (first, behind)))


def whole_year(year: int) -> Period:
    return months_from(year, 1, 12)


def is_year(year: int, today: date) -> bool:
    return FIRST_YEAR <= year <= today.year + 1


def possible_day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def read_point(text: str, today: date) -> Period | None:
    """A single time within a longer one: a day, a month with or without a year, a season or a year."""
    for pattern, read in POINTS:
        if match := re.fullmatch(pattern, text.strip(), re.IGNORECASE):
            groups = {name: value.casefold() for name, value in match.groupdict().items() if value}
            return read(groups, today)
    return None


def year_of(groups: dict[str, str], today: date) -> Period | None:
    year = int(groups["year"])
    return whole_year(year) if is_year(year, today) else None


def month_of(groups: dict[str, str], today: date) -> Period | None:
    year, month = int(groups["year"]), MONTHS[groups["month"]]
    return months_from(year, month) if is_year(year, today) else None


def day_of(groups: dict[str, str], today: date) -> Period | None:
    year, month = int(groups["year"]), groups["month"]
    number = int(month) if month.isdecimal() else MONTHS[month]
    day = possible_day(year, number, int(groups["day"]))
    return one_day(day) if day is not None and is_year(year, today) else None


def iso_month(groups: dict[str, str], today: date) -> Period | None:
    year, month = int(groups["year"]), int(groups["month"])
    return months_from(year, month) if is_year(year, today) and 1 <= month <= 12 else None


def season_of(groups: dict[str, str], today: date) -> Period | None:
    """A winter begins in December: “winter 2019” is that of 2019 and 2020."""
    year = int(groups["year"])
    return months_from(year, SEASONS[groups["season"]], 3) if is_year(year, today) else None


def feast_of(groups: dict[str, str], today: date) -> Period | None:
    year = int(groups["year"])
    first, last = FEASTS[groups["feast"].replace("’", "'")]
    if not is_year(year, today):
        return None
    return between(date(year, *first), date(year, *last) + timedelta(days=1))


def decade_of(groups: dict[str, str], today: date) -> Period | None:
    """“the 1990s” and “the 90s”; of two digits the latest decade that has begun."""
    year = int(groups["decade"])
    if year < 100:
        year += 1900 if 2000 + year > today.year else 2000
    return months_from(year, 1, 120) if is_year(year, today) else None


def every_month(groups: dict[str, str], today: date) -> Period | None:
    """A month without a year, of every year; what may be another word only behind “in”."""
    month = groups["month"]
    is_sure = "in" in groups or (month not in AMBIGUOUS and len(month) > 3)
    return Period(month=MONTHS[month]) if is_sure else None


def every_day(groups: dict[str, str], today: date) -> Period | None:
    """A day without a year, of every year."""
    month, day = MONTHS[groups["month"]], int(groups["day"])
    return Period(month=month, day=day) if possible_day(2000, month, day) else None


def on_this_day(groups: dict[str, str], today: date) -> Period:
    return Period(month=today.month, day=today.day)


def named_day(groups: dict[str, str], today: date) -> Period:
    return one_day(today - timedelta(days=1 if groups["named"] == "yesterday" else 0))


def month_or_season_near(groups: dict[str, str], today: date) -> Period:
    """“this summer” of this year, “last June” the latest one that is over."""
    name = groups["part"]
    month, count = (MONTHS[name], 1) if name in MONTHS else (SEASONS[name], 3)
    period = months_from(today.year, month, count)
    if groups["which"] == "this":
        return period
    assert period.end is not None
    return period if period.end <= today else months_from(today.year - 1, month, count)


def unit_near(groups: dict[str, str], today: date) -> Period:
    """The week, month or year of today, or the one before; weeks begin on Monday."""
    back = 0 if groups["which"] == "this" else 1
    monday = today - timedelta(days=today.weekday() + 7 * back)
    match groups["unit"]:
        case "weekend":
            return between(monday + timedelta(days=5), monday + timedelta(days=7))
        case "week":
            return between(monday, monday + timedelta(days=7))
        case "month":
            index = today.year * 12 + today.month - 1 - back
            return months_from(index // 12, index % 12 + 1)
        case _:
            return whole_year(today.year - back)


def number_of(text: str) -> int:
    return int(text) if text.isdecimal() else NUMBERS[" ".join(text.split())]


def earlier(today: date, unit: str, count: int) -> date | None:
    """This many days, weeks, months or years before; None before the first photograph."""
    if unit in ("day", "week"):
        days = count * (7 if unit == "week" else 1)
        return today - timedelta(days=days) if days < (today - date(FIRST_YEAR, 1, 1)).days else None
    index = today.year * 12 + today.month - 1 - count * (12 if unit == "year" else 1)
    if index < FIRST_YEAR * 12:
        return None
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(today.day, calendar.monthrange(year, month)[1]))


def ago(groups: dict[str, str], today: date) -> Period | None:
    """“3 years ago” is that year, “3 weeks ago” that week and so on."""
    unit = groups["unit"].removesuffix("s")
    day = earlier(today, unit, number_of(groups["number"]))
    if day is None:
        return None
    return one_day(day) if unit == "day" else unit_near({"which": "this", "unit": unit}, day)


def latest(groups: dict[str, str], today: date) -> Period | None:
    """“the last 3 weeks”, up to today."""
    start = earlier(today, groups["unit"].removesuffix("s"), number_of(groups["number"]))
    return None if start is None else between(start, today + timedelta(days=1))


def span(groups: dict[str, str], today: date) -> Period | None:
    """From the beginning of one time to the end of another. “May to July 2019” means one year."""
    end = read_point(groups["until"], today)
    start = read_point(groups["since"], today)
    if start is None and end is not None and end.start is not None:
        start = read_point(f"{groups['since']} {end.start.year}", today)
    if start is None or end is None or start.start is None or end.end is None or start.start >= end.end:
        return None
    return between(start.start, end.end)


def open_ended(groups: dict[str, str], today: date) -> Period | None:
    """“since 2018” includes 2018, “after 2018” and “before 2018” do not, “until 2018” does."""
    point = read_point(groups["point"], today)
    if point is None or point.start is None:
        return None
    match groups["side"]:
        case "since":
            return between(point.start, None)
        case "after":
            return between(point.end, None)
        case "before":
            return between(None, point.start)
        case _:
            return between(None, point.end)


def any_of(words: Iterable[str]) -> str:
    """A pattern for one of them, the longest that fits."""
    return "|".join(sorted(words, key=len, reverse=True))


def nameless(pattern: str) -> str:
    """A pattern without names of groups, which may come only once in a larger one."""
    return re.sub(r"\(\?P<\w+>", "(?:", pattern)


YEAR = r"(?P<year>\d{4})"
DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
MONTH = rf"(?P<month>{any_of(MONTHS)})\.?"
SEASON = f"(?P<season>{any_of(SEASONS)})"
FEAST = f"(?P<feast>{any_of(FEASTS)})".replace("'", "['’]")
NUMBER = rf"(?P<number>\d{{1,3}}|{any_of(NUMBERS)})"
UNITS = r"(?P<unit>(?:day|week|month|year)s?)"

Reading = tuple[str, Callable[[dict[str, str], date], Period | None]]
POINTS: tuple[Reading, ...] = (
    (r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})", day_of),
    (r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})", day_of),
    (rf"{DAY}\s+(?:of\s+)?{MONTH},?\s+{YEAR}", day_of),
    (rf"{MONTH}\s+{DAY},?\s+{YEAR}", day_of),
    (r"(?P<year>\d{4})-(?P<month>\d{2})", iso_month),
    (rf"{MONTH},?\s+(?:of\s+)?{YEAR}", month_of),
    (rf"{SEASON},?\s+(?:of\s+)?{YEAR}", season_of),
    (rf"{FEAST},?\s+(?:of\s+)?{YEAR}", feast_of),
    (YEAR, year_of),
)

POINT = "|".join(nameless(pattern) for pattern, _ in POINTS)
BEFORE = r"(?:(?:from|in|of|on|at|during|taken|back)\s+)*(?:the\s+)?"
READINGS: tuple[Reading, ...] = (
    (
        rf"(?:from|between)\s+(?P<since>{POINT}|{nameless(MONTH)})\s+(?:to|and|until|till)\s+(?P<until>{POINT})",
        span,
    ),
    (rf"{BEFORE}(?P<since>{POINT}|{nameless(MONTH)})\s*(?:-|–|to|until)\s*(?P<until>{POINT})", span),
    (rf"(?P<side>since|after|before|until)\s+(?P<point>{POINT})", open_ended),
    *((BEFORE + pattern, read) for pattern, read in POINTS),
    (rf"{BEFORE}(?P<decade>\d{{2}}(?:\d{{2}})?)s", decade_of),
    (r"on this day", on_this_day),
    (r"(?:from\s+)?(?P<named>today|yesterday)", named_day),
    (rf"{BEFORE}(?P<which>this|last)\s+(?P<unit>weekend|week|month|year)", unit_near),
    (
        rf"{BEFORE}(?P<which>this|last)\s+(?P<part>{any_of(MONTHS | SEASONS)})",
        month_or_season_near,
    ),
    (rf"{BEFORE}{NUMBER}\s+{UNITS}\s+ago", ago),
    (rf"{BEFORE}(?:last|past)\s+{NUMBER}\s+{UNITS}", latest),
    (rf"(?:(?:from|on)\s+)?(?:the\s+)?{DAY}\s+(?:of\s+)?{MONTH}", every_day),
    (rf"(?:(?:from|on)\s+)?{MONTH}\s+{DAY}", every_day),
    (rf"(?:(?P<in>in|during|of)\s+)?{MONTH}", every_month),
)
