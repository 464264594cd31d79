"""The goals, and the table and the file that the figures go to."""
import json
import pathlib
import statistics

# What a row has to reach. `ceiling` and `peer` are least ratios, where more is better; `most` and `least` bound our own
# figure, `peak_mb` the memory and `cpu` the CPU seconds per 10,000 messages of our process, and `to_empty` is the least
# share of what an empty ledger gives.
GOALS = {
    "publish": {"ceiling": 0.8},
    "consume": {"ceiling": 0.7},
    "pipeline": {"ceiling": 0.7, "cpu": 0.3},
    "chain": {"ceiling": 0.6, "peer": 1.0},
    "relay": {"ceiling": 0.7},
    "csv": {"peer": 1.0, "peak_mb": 100},
    "xlsx-read": {"peer": 1.0},
    # At most 1.15 times the ceiling's time.
    "xlsx-write": {"ceiling": 0.87},
    "copy": {"ceiling": 0.8},
    "upsert": {"ceiling": 0.8},
    "archive": {"least": 5_000},
    "groups": {"most": 1},
    "idle-memory": {"most": 40},
    "sale-to-shelf": {"most": 2},
    # 10,000 orders in a minute.
    "collect": {"least": 167},
    "collect-2m": {"least": 167, "to_empty": 0.8},
}


def median(values: list[float]) -> float | None:
    return statistics.median(values) if values else None


def ratio(ours: float, other: float | None, better: str) -> float | None:
    """Above 1 is better than the other, whichever way the figure goes."""
    if not other:
        return None
    return ours / other if better == "higher" else other / ours


def entry(name: str, unit: str, better: str, sides: dict[str, list[float]], peer_name: str | None, **more) -> dict:
    ours, ceiling, peer = (median(sides.get(side, [])) for side in ("ours", "ceiling", "peer"))
    return {
        "name": name, "unit": unit, "better": better, "ours": ours, "ceiling": ceiling, "peer": peer,
        "peer_name": peer_name, "ratio_to_ceiling": ratio(ours, ceiling, better),
        "ratio_to_peer": ratio(ours, peer, better), "runs": len(sides["ours"]), **more,
    }


def verdict(row: dict) -> tuple[str, bool]:
    """The goal in words, and whether it is met."""
    goal, words, met = GOALS[row["name"]], [], True
    for key, least in goal.items():
        if key in ("ceiling", "peer"):
            found = row[f"ratio_to_{key}"]
            words.append(f"{least:g} x {key}")
            met = met and found is not None and found >= least
        elif key == "peak_mb":
            words.append(f"<={least} MB")
            met = met and row["peak_mb"] <= least
        elif key == "cpu":
            words.append(f"<={least:g} CPU s")
            met = met and row["cpu_seconds_per_10000"] <= least
        elif key == "least":
            words.append(f">={least} {row['unit']}")
            met = met and row["ours"] >= least
        elif key == "to_empty":
            words.append(f"{least:g} x empty")
            met = met and row["to_empty"] >= least
        else:
            words.append(f"<{least} {row['unit']}")
            met = met and row["ours"] < least
    return ", ".join(words), met


def number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def text(rows: list[dict]) -> str:
    form = "{:<15}{:<11}{:>10}{:>10}{:>10}{:>7}{:>7}  {:<32}{}"
    lines = [form.format("row", "unit", "ours", "ceiling", "peer", "/ceil", "/peer", "goal", "")]
    for row in rows:
        goal, met = verdict(row)
        ratios = ["-" if row[key] is None else f"{row[key]:.2f}" for key in ("ratio_to_ceiling", "ratio_to_peer")]
        lines.append(form.format(
            row["name"], row["unit"], number(row["ours"]), number(row["ceiling"]), number(row["peer"]), *ratios,
            goal, "met" if met else "NOT MET"))
    lines.append("")
    for row in rows:
        notes = [f"peer: {row['peer_name']}"] if row["peer_name"] else []
        if "peak_mb" in row:
            notes.append(f"peak memory {row['peak_mb']:.0f} MB")
        if "cpu_seconds_per_10000" in row:
            notes.append(f"{row['cpu_seconds_per_10000']:.2f} CPU s per 10,000")
        notes += row.get("notes", [])
        if notes:
            lines.append(f"{row['name']}: {'; '.join(notes)}")
    return "\n".join(lines)


def write(rows: list[dict], path: pathlib.Path) -> None:
    """Rows of this run replace those of the same name; the others stay."""
    kept = []
    if path.exists():
        names = {row["name"] for row in rows}
        kept = [row for row in json.loads(path.read_text()) if row["name"] not in names]
    order = list(GOALS)
    merged = sorted(kept + rows, key=lambda row: order.index(row["name"]) if row["name"] in order else len(order))
    unfinished = path.with_suffix(".new")
    unfinished.write_text(json.dumps(merged, indent=2) + "\n")
    unfinished.rename(path)
