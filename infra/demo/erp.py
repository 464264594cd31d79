"""The ERP's side of the demo: articles with Vietnamese names, and the stock file with the dirt that real ones have."""

import csv
import dataclasses
import decimal
import random
import unicodedata

KINDS = (
    ("DG", "Dầu gội"), ("DX", "Dầu xả"), ("ST", "Sữa tắm"), ("SRM", "Sữa rửa mặt"), ("KD", "Kem dưỡng ẩm"),
    ("KCN", "Kem chống nắng"), ("NHH", "Nước hoa hồng"), ("SON", "Son dưỡng môi"), ("KDR", "Kem đánh răng"),
    ("NTT", "Nước tẩy trang"), ("MN", "Mặt nạ giấy"), ("XP", "Xà phòng thảo mộc"),
)
BRANDS = ("Hoa Sen", "Thảo Mộc Việt", "Cỏ Ngọt", "Sen Vàng", "Bồ Kết Xưa", "Làng Chài", "Mộc Lan", "Ánh Dương")
SCENTS = ("hương sen", "bồ kết", "vỏ bưởi", "sả chanh", "trà xanh", "nghệ tươi", "dừa Bến Tre", "oải hương", "gừng")
SIZES = ("50 ml", "100 ml", "180 g", "250 ml", "300 ml", "500 ml", "650 g", "hộp 10 miếng")
HEADER = ("Mã hàng", "Tên hàng", "Kho", "Tồn kho")
WORDS_FOR_A_QUANTITY = ("hết hàng", "N/A", "12 hộp", "O5", "đang kiểm kê", "--")


@dataclasses.dataclass(frozen=True)
class Article:
    code: str
    name: str


@dataclasses.dataclass
class Row:
    code: str
    name: str
    warehouse: str
    quantity: str
    reason: str = ""  # why it must be set aside; empty for a good row
    repeats: bool = False  # says once more what an earlier row said


def chance(*parts) -> random.Random:
    """A generator of its own for every purpose, so that a change in one place moves nothing elsewhere."""
    return random.Random(":".join(str(part) for part in parts))


def articles(seed: int, count: int) -> list[Article]:
    random_ = chance(seed, "articles")
    result = []
    for number in range(1, count + 1):
        prefix, kind = KINDS[number % len(KINDS)]
        name = f"{kind} {random_.choice(BRANDS)} {random_.choice(SCENTS)} {random_.choice(SIZES)}"
        if number % 97 == 0:
            name = f'{kind} "{random_.choice(BRANDS)}"; {random_.choice(SIZES)}'
        if number == 5:
            code = "SỮA-00005"
        elif number % 9 == 0:
            code = f"{number * 7:08d}"  # a bar code of sorts, with zeros in front
        elif number % 11 == 0:
            code = f"{prefix}-{number:05d}-50ML"
        else:
            code = f"{prefix}-{number:05d}"
        result.append(Article(code, name))
    return result


def on_hand(seed: int, day: int, article: Article, warehouse: str) -> decimal.Decimal:
    """What lies in a warehouse: the first day's number, moved on about one article in twenty on each later day."""
    random_ = chance(seed, "stock", article.code, warehouse)
    shape = random_.random()
    if chance(seed, "discontinued", article.code).random() < 0.04:
        shape = 0  # in no warehouse at all
    if shape < 0.06:
        quantity = decimal.Decimal(0)
    elif shape < 0.08:
        quantity = decimal.Decimal(-random_.randint(1, 9))
    elif shape < 0.09:
        quantity = decimal.Decimal(random_.randint(3, 400)) / 2
    else:
        quantity = decimal.Decimal(int(random_.paretovariate(1.1) * 8) % 900 + random_.randint(0, 60))
    for later in range(2, day + 1):
        moved = chance(seed, "day", later, article.code, warehouse)
        if moved.random() < 0.05:
            quantity = decimal.Decimal(max(0, int(quantity) + moved.randint(-40, 60)))
    return quantity


def written(quantity: decimal.Decimal) -> str:
    return f"{quantity.normalize():f}".replace(".", ",")


def stock_rows(seed: int, day: int, every_article: list[Article], warehouses: tuple[str, ...]) -> list[Row]:
    """The file's rows. The same rows are bad on every day, so a row that is set aside never had an earlier number."""
    rows = [Row(article.code, article.name, warehouse, written(on_hand(seed, day, article, warehouse)))
            for article in every_article for warehouse in warehouses]
    random_ = chance(seed, "dirt")
    # Each victim is another article, and only its row in the first warehouse is set aside: the others go on counting,
    # so no shop is left with an article of which nothing is known.
    size = len(every_article)
    victims = iter(random_.sample(range(size), min(size, 8 + size // 200)))

    def hit() -> Row:
        return rows[next(victims) * len(warehouses)]

    for _ in range(max(2, size // 1700)):
        row = hit()
        row.quantity, row.reason = random_.choice(WORDS_FOR_A_QUANTITY), "not_a_number"
    for _ in range(max(1, size // 2200)):
        row = hit()
        row.quantity, row.reason = "", "empty_quantity"
    extra = []
    for _ in range(max(1, size // 2500)):
        row = hit()
        other = str(int(decimal.Decimal(row.quantity.replace(",", "."))) + random_.randint(1, 30))
        row.reason = "conflicting_duplicate"
        extra.append(dataclasses.replace(row, quantity=other))
    for _ in range(max(1, size // 800)):
        extra.append(dataclasses.replace(hit(), repeats=True))
    for _ in range(max(1, size // 4000)):
        extra.append(Row("  ", "Hàng tặng kèm (chưa có mã)", warehouses[0], "15", "blank_sku"))
    # Equal or not, the repetitions stand somewhere further down.
    rows.extend(extra)
    return rows


@dataclasses.dataclass
class StockFile:
    lines: list[list[str]]  # cells, line by line, with title, headers and totals
    rows: list[tuple[int, Row]]  # line number from 1, and the row
    skipped_lines: int


def stock_file(rows: list[Row], company: str, as_of: str, pages: int = 2) -> StockFile:
    """The lines as the ERP prints them: a title, the header on every page, a blank line, and totals."""
    lines = [[f"BÁO CÁO TỒN KHO - {company}", "", "", ""], [f"Thời điểm chốt: {as_of}", "", "", ""], list(HEADER)]
    placed, skipped = [], 3
    per_page = max(1, -(-len(rows) // pages))
    for index, row in enumerate(rows):
        if index and index % per_page == 0:
            lines += [["", "", "", ""], list(HEADER)]
            skipped += 2
        lines.append([row.code, row.name, row.warehouse, row.quantity])
        placed.append((len(lines), row))
    units = sum(decimal.Decimal(row.quantity.replace(",", ".")) for row in rows if not row.reason and not row.repeats)
    lines.append(["Tổng cộng", "", "", written(units)])
    return StockFile(lines, placed, skipped + 1)


def write_csv(path, file: StockFile):
    """As Excel writes it in Vietnam: UTF-8 with a byte order mark, semicolons, CRLF."""
    with open(path, "w", encoding="utf-8-sig", newline="") as out:
        csv.writer(out, delimiter=";", lineterminator="\r\n").writerows(file.lines)


def write_xlsx(path, file: StockFile):
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Tồn kho")
    for cells in file.lines:
        number = cells[3].replace(",", ".")
        try:
            last = float(number) if number.strip() else None
        except ValueError:
            last = cells[3]
        sheet.append([cell or None for cell in cells[:3]] + [last])
    book.save(path)


def normal_form(code: str) -> str:
    """What is left of a code under every rule; two articles must not share it. Written apart from the product's."""
    text = unicodedata.normalize("NFC", code).strip().upper()
    text = "".join(letter for letter in text if letter not in "-_./ ")
    return text.lstrip("0") or "0"
