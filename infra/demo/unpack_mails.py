#!/usr/bin/python3
"""Takes apart the mails of a demo's day, for infra/render-images.sh.

    unpack_mails.py MAILS OUTPUT

MAILS holds one .eml file for each mail. Writes to OUTPUT: reconciliation.html (pictures inside), reconciliation.xlsx
(of the last reconciliation) and order-report.xlsx (the one with the most rows).
"""

import base64
import email
import email.policy
import io
import pathlib
import sys

import openpyxl


def main():
    mails, output = map(pathlib.Path, sys.argv[1:3])
    reports = []
    found = False
    for path in sorted(mails.glob("*.eml"), key=lambda path: path.stat().st_mtime):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        workbooks = [part for part in message.walk() if (part.get_filename() or "").endswith(".xlsx")]
        if not workbooks:
            continue
        content = workbooks[0].get_content()
        if workbooks[0].get_filename().startswith("reconciliation"):
            (output / "reconciliation.html").write_text(page(message), encoding="utf-8")
            (output / "reconciliation.xlsx").write_bytes(content)
            found = True
        else:
            sheet = openpyxl.load_workbook(io.BytesIO(content), read_only=True)["Lines"]
            reports.append((sum(1 for _ in sheet.iter_rows()), content))
    if not (found and reports):
        sys.exit(f"{mails} holds no reconciliation or no order report: run the demo first (make demo)")
    (output / "order-report.xlsx").write_bytes(max(reports, key=lambda report: report[0])[1])


def page(message) -> str:
    """The mail's HTML, with its pictures inside."""
    text = message.get_body(("html",)).get_content()
    for part in message.walk():
        identifier = (part.get("Content-ID") or "").strip("<>")
        if identifier:
            data = base64.b64encode(part.get_content()).decode()
            text = text.replace(f"cid:{identifier}", f"data:{part.get_content_type()};base64,{data}")
    return text


if __name__ == "__main__":
    main()
