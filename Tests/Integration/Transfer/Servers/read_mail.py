"""Reads a mail as a mail program would and prints what it found."""

import email
import email.policy
import json
import sys

with open(sys.argv[1], "rb") as file:
    raw = file.read()
message = email.message_from_bytes(raw, policy=email.policy.default)
defects = [str(defect) for part in message.walk() for defect in part.defects]
defects += [str(defect) for header in message.values() for defect in getattr(header, "defects", [])]


def facts(part):
    content = part.get_content()
    return {
        "type": part.get_content_type(),
        "filename": part.get_filename() or "",
        "id": part.get("Content-ID", ""),
        "disposition": part.get_content_disposition() or "",
        "content": content if isinstance(content, str) else content.hex(),
    }


print(
    json.dumps(
        {
            "headers": {name.lower(): str(value) for name, value in message.items()},
            "parts": [facts(part) for part in message.walk() if not part.is_multipart()],
            "shape": [part.get_content_type() for part in message.walk()],
            "defects": defects,
            "longestLine": max(len(line) for line in raw.splitlines()),
        }
    )
)
