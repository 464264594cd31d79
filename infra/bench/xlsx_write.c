/* Ceiling of the xlsx-write benchmark: libxlsxwriter in constant memory writes an order report. The rows are those of
 * peers/xlsx_write.py and Swift/ReportRow.swift: a pool of 1,000, made before the clock starts, written in turns.
 *
 * usage: xlsx_write OUTPUT ROWS     prints seconds, rows
 * build: cc -O2 -o xlsx_write xlsx_write.c -lxlsxwriter
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <xlsxwriter.h>

enum { POOL = 1000, COLUMNS = 15 };

static const char *titles[COLUMNS] = {"Batch", "Shop", "Order", "Revision", "Placed", "Status", "Customer", "Phone",
                                      "City", "SKU", "Name", "Quantity", "Price", "Total", "Note"};
static const char *names[10] = {"Dầu gội", "Sữa tắm", "Kem dưỡng", "Nước hoa", "Xà phòng",
                                "Son môi", "Mặt nạ", "Serum", "Toner", "Lotion"};
static const char *cities[4] = {"Hà Nội", "Đà Nẵng", "Cần Thơ", "Huế"};

static struct {
    char shop[16], order[24], customer[48], phone[16], sku[16], name[48], note[64];
} pool[POOL];

static void fill(void) {
    for (int i = 0; i < POOL; i++) {
        snprintf(pool[i].shop, sizeof pool[i].shop, "shop-%d", i % 5);
        snprintf(pool[i].order, sizeof pool[i].order, "WC-%07d", 1000000 + i * 37);
        snprintf(pool[i].customer, sizeof pool[i].customer, "Nguyễn Văn %d", i * 7919 % 1000);
        snprintf(pool[i].phone, sizeof pool[i].phone, "0%09d", 901000000 + i * 7919);
        snprintf(pool[i].sku, sizeof pool[i].sku, "0%07d", i * 104729 % 10000000);
        snprintf(pool[i].name, sizeof pool[i].name, "%s %d ml", names[i % 10], i * 31 % 900 + 100);
        snprintf(pool[i].note, sizeof pool[i].note, "Giao giờ hành chính, gọi trước %d phút", i % 60);
    }
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    unsigned rows = (unsigned)atoi(argv[2]);
    struct timespec from, to;
    fill();
    clock_gettime(CLOCK_MONOTONIC, &from);
    lxw_workbook_options options = {.constant_memory = LXW_TRUE};
    lxw_workbook *book = workbook_new_opt(argv[1], &options);
    lxw_doc_properties properties = {.title = "Orders", .author = "Stockbridge", .created = 1795237200};
    workbook_set_properties(book, &properties);
    lxw_format *bold = workbook_add_format(book), *text = workbook_add_format(book);
    lxw_format *whole = workbook_add_format(book), *money = workbook_add_format(book);
    lxw_format *time = workbook_add_format(book);
    format_set_bold(bold);
    format_set_num_format(text, "@");
    format_set_num_format(whole, "0");
    format_set_num_format(money, "#,##0.00");
    format_set_num_format(time, "yyyy-mm-dd hh:mm:ss");
    lxw_worksheet *sheet = workbook_add_worksheet(book, "Lines");
    worksheet_freeze_panes(sheet, 1, 0);
    for (lxw_col_t c = 0; c < COLUMNS; c++) worksheet_write_string(sheet, 0, c, titles[c], bold);
    for (lxw_row_t r = 1; r <= rows; r++) {
        int i = (int)(r - 1) % POOL;
        worksheet_write_string(sheet, r, 0, "hanoi-20261121-1200", text);
        worksheet_write_string(sheet, r, 1, pool[i].shop, text);
        worksheet_write_string(sheet, r, 2, pool[i].order, text);
        worksheet_write_number(sheet, r, 3, i % 3 + 1, whole);
        worksheet_write_number(sheet, r, 4, (1795237200.0 + (r - 1)) / 86400 + 25569, time);
        worksheet_write_string(sheet, r, 5, "processing", text);
        worksheet_write_string(sheet, r, 6, pool[i].customer, text);
        worksheet_write_string(sheet, r, 7, pool[i].phone, text);
        worksheet_write_string(sheet, r, 8, cities[i % 4], text);
        worksheet_write_string(sheet, r, 9, pool[i].sku, text);
        worksheet_write_string(sheet, r, 10, pool[i].name, text);
        worksheet_write_number(sheet, r, 11, i % 9 + 1, whole);
        worksheet_write_number(sheet, r, 12, (i * 25 + 1995) / 100.0, money);
        worksheet_write_number(sheet, r, 13, (i * 25 + 1995) * (i % 9 + 1) / 100.0, money);
        worksheet_write_string(sheet, r, 14, pool[i].note, text);
    }
    lxw_error error = workbook_close(book);
    clock_gettime(CLOCK_MONOTONIC, &to);
    if (error) return 1;
    printf("%.4f %u\n", (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9, rows);
    return 0;
}
