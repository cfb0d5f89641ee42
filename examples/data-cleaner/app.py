"""Cleans rows of contact data in CSV: dates to ISO 8601, telephone numbers to E.164, names and addresses tidied."""
import csv
import io
import re

import phonenumbers
from dateutil import parser as dates

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
MAX_ROWS = 10_000


def clean_name(text):
    return " ".join(part[:1].upper() + part[1:] for part in text.split())


def clean_email(text):
    email = text.strip().lower()
    if not EMAIL.fullmatch(email):
        raise ValueError("not an e-mail address")
    return email


def clean_date(text, day_first):
    return dates.parse(text, dayfirst=day_first).date().isoformat()


def clean_phone(text, country):
    number = phonenumbers.parse(text, country)
    if not phonenumbers.is_valid_number(number):
        raise ValueError("not a valid telephone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def cleaners(country, day_first):
    return {
        "name": clean_name,
        "email": clean_email,
        "phone": lambda text: clean_phone(text, country),
        "date": lambda text: clean_date(text, day_first),
    }


def cleaner_of(column, available):
    """The cleaner whose name is part of the column's, as in `birth_date` or `Phone number`."""
    return next((clean for kind, clean in available.items() if kind in column.lower()), str.strip)


def handler(event, context):
    available = cleaners(event.get("country", "US"), event.get("dayFirst", False))
    rows = list(csv.DictReader(io.StringIO(event["csv"])))
    if len(rows) > MAX_ROWS:
        raise ValueError(f"At most {MAX_ROWS} rows, not {len(rows)}")
    out = io.StringIO()
    problems = []
    seen = set()
    duplicates = 0
    writer = None
    for number, row in enumerate(rows, start=1):
        cleaned = {}
        for column, text in row.items():
            if column is None:
                problems.append({"row": number, "column": None, "problem": "more cells than columns"})
                continue
            try:
                cleaned[column] = cleaner_of(column, available)(text or "") if text else ""
            except (ValueError, OverflowError, phonenumbers.NumberParseException) as error:
                cleaned[column] = ""
                problems.append({"row": number, "column": column, "value": text, "problem": str(error)})
        key = tuple(cleaned.values())
        if key in seen:
            duplicates += 1
            continue
        seen.add(key)
        if writer is None:
            writer = csv.DictWriter(out, fieldnames=list(cleaned), lineterminator="\n")
            writer.writeheader()
        writer.writerow(cleaned)
    print(f"{len(rows)} rows in, {len(seen)} out, {len(problems)} problems")
    return {"csv": out.getvalue(), "rows": len(seen), "duplicates": duplicates, "problems": problems}
