/* Ceiling of the csv benchmark: the same work in tight C. Reads a stock file (header: SKU,Name,Warehouse,Quantity) in
 * chunks of 512 KiB, splits it by RFC 4180, finds SKUs in an open-addressing table, keeps every accepted row, merges
 * equal duplicates, sets bad and conflicting rows aside, and adds the warehouses up. Whole quantities only.
 *
 * usage: csv FILE [RUNS]     prints seconds, SKUs, rows read, accepted, set aside, merged, units
 * build: cc -O2 -o csv csv.c
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 524288, RECORD = 65536, CELLS = 64, WAREHOUSES = 64 };

typedef struct { const unsigned char *start; uint32_t length; } Cell;
typedef struct { int64_t units; uint32_t sku, line, next; uint16_t warehouse, dropped; } Row;
typedef struct { uint32_t hash, index; } Slot;

static unsigned char buffer[CHUNK + RECORD + 16], scratch[RECORD];
static unsigned char classes[256];
static Slot *slots;
static uint32_t slot_mask, sku_count, sku_capacity;
static uint32_t *ends, *heads;
static unsigned char *arena;
static size_t arena_used, arena_capacity;
static Row *rows;
static uint32_t row_count, row_capacity;
static Cell warehouses[WAREHOUSES];
static int warehouse_count;
static long rows_read, accepted, set_aside, merged;

static uint32_t hash_bytes(const unsigned char *p, uint32_t n) {
    uint64_t state = 0x9E3779B97F4A7C15u ^ n, word;
    while (n >= 8) {
        memcpy(&word, p, 8);
        unsigned __int128 product = (unsigned __int128)(state ^ word) * 0xD1B54A32D192ED03u;
        state = (uint64_t)product ^ (uint64_t)(product >> 64);
        p += 8;
        n -= 8;
    }
    word = 0;
    while (n) word = word << 8 | p[--n];
    unsigned __int128 product = (unsigned __int128)(state ^ word) * 0xD1B54A32D192ED03u;
    return (uint32_t)((uint64_t)product ^ (uint64_t)(product >> 64));
}

static int same(uint32_t index, const unsigned char *p, uint32_t n) {
    if (index >= sku_count) return 0;
    uint32_t start = index ? ends[index - 1] : 0;
    return ends[index] - start == n && memcmp(arena + start, p, n) == 0;
}

static void place(uint32_t hash, uint32_t index) {
    uint32_t slot = hash & slot_mask;
    while (slots[slot].index) slot = (slot + 1) & slot_mask;
    slots[slot] = (Slot){hash, index + 1};
}

static void grow_slots(void) {
    Slot *old = slots;
    uint32_t count = slot_mask + 1;
    slot_mask = count * 2 - 1;
    slots = calloc(count * 2, sizeof(Slot));
    for (uint32_t i = 0; i < count; i++)
        if (old[i].index) place(old[i].hash, old[i].index - 1);
    free(old);
}

static uint32_t find_sku(const unsigned char *p, uint32_t n) {
    static uint32_t last;
    if (same(last, p, n)) return last;
    if (same(last + 1, p, n)) return ++last;
    uint32_t hash = hash_bytes(p, n), slot = hash & slot_mask;
    while (slots[slot].index) {
        if (slots[slot].hash == hash && same(slots[slot].index - 1, p, n)) return last = slots[slot].index - 1;
        slot = (slot + 1) & slot_mask;
    }
    if ((sku_count + 1) * 2 > slot_mask) grow_slots();
    if (sku_count == sku_capacity) {
        sku_capacity *= 2;
        ends = realloc(ends, sku_capacity * sizeof *ends);
        heads = realloc(heads, sku_capacity * sizeof *heads);
    }
    if (arena_used + n > arena_capacity) arena = realloc(arena, arena_capacity = arena_capacity * 2 + n);
    memcpy(arena + arena_used, p, n);
    arena_used += n;
    ends[sku_count] = (uint32_t)arena_used;
    heads[sku_count] = 0;
    place(hash, sku_count);
    return last = sku_count++;
}

static int find_warehouse(Cell cell) {
    for (int i = 0; i < warehouse_count; i++)
        if (warehouses[i].length == cell.length && !memcmp(warehouses[i].start, cell.start, cell.length)) return i;
    if (warehouse_count == WAREHOUSES) return -1;
    unsigned char *copy = malloc(cell.length);
    memcpy(copy, cell.start, cell.length);
    warehouses[warehouse_count] = (Cell){copy, cell.length};
    return warehouse_count++;
}

static void take(Cell *cells, int count, uint32_t line, int bad) {
    rows_read++;
    int64_t units = 0;
    if (bad || count != 4 || !cells[0].length || !cells[2].length || !cells[3].length) bad = 1;
    for (uint32_t i = 0; !bad && i < cells[3].length; i++) {
        unsigned digit = cells[3].start[i] - '0';
        if (digit > 9) bad = 1;
        units = units * 10 + digit;
    }
    int warehouse = bad ? -1 : find_warehouse(cells[2]);
    if (warehouse < 0) {
        set_aside++;
        return;
    }
    uint32_t sku = find_sku(cells[0].start, cells[0].length);
    for (uint32_t link = heads[sku]; link; link = rows[link - 1].next) {
        Row *row = &rows[link - 1];
        if (row->warehouse != warehouse) continue;
        if (!row->dropped && row->units == units) {
            merged++;
            return;
        }
        if (!row->dropped) {
            row->dropped = 1;
            accepted--;
            set_aside++;
        }
        set_aside++;
        return;
    }
    if (row_count == row_capacity) rows = realloc(rows, (row_capacity *= 2) * sizeof *rows);
    rows[row_count++] = (Row){units, sku, line, heads[sku], (uint16_t)warehouse, 0};
    heads[sku] = row_count;
    accepted++;
}

/* One record from `p`; returns where the next one begins, or 0 if the buffer ends first. */
static const unsigned char *record(const unsigned char *p, const unsigned char *end, int final, uint32_t *line) {
    Cell cells[CELLS];
    int count = 0, bad = 0;
    uint32_t breaks = 1;
    unsigned char *out = scratch;
    for (;;) {
        const unsigned char *start = p;
        Cell cell;
        if (p < end && *p == '"') {
            int doubled = 0;
            for (start = ++p;; p++) {
                while (p < end && *p != '"') breaks += *p++ == '\n';
                if (p + 1 >= end) {
                    if (!final) return 0;
                    break;
                }
                if (p[1] != '"') break;
                doubled = 1;
                p++;
            }
            cell = (Cell){start, (uint32_t)(p - start)};
            if (doubled) {
                cell.start = out;
                for (const unsigned char *q = start; q < p; q += *q == '"' ? 2 : 1) *out++ = *q;
                cell.length = (uint32_t)(out - cell.start);
            }
            p++;
        } else {
            while (p < end && !classes[*p]) p++;
            cell = (Cell){start, (uint32_t)(p - start)};
        }
        if (count < CELLS) cells[count++] = cell;
        if (p >= end && !final) return 0;
        if (p < end && *p == ',') {
            p++;
            continue;
        }
        if (p < end && *p == '\r') p++;
        if (p >= end && !final) return 0;
        if (p < end && *p != '\n') bad = 1;
        while (p < end && *p != '\n') p++;
        p++;
        break;
    }
    if (*line > 1) take(cells, count, *line, bad);
    *line += breaks;
    return p;
}

static void run(const char *path) {
    int file = open(path, O_RDONLY);
    if (file < 0) {
        perror(path);
        exit(1);
    }
    slots = calloc(1 << 20, sizeof(Slot));
    slot_mask = (1 << 20) - 1;
    ends = malloc((sku_capacity = 1024) * sizeof *ends);
    heads = malloc(sku_capacity * sizeof *heads);
    arena = malloc(arena_capacity = 4096);
    rows = malloc((row_capacity = 1024) * sizeof *rows);
    sku_count = row_count = 0;
    arena_used = 0;
    warehouse_count = 0;
    rows_read = accepted = set_aside = merged = 0;
    size_t kept = 0;
    uint32_t line = 1;
    for (;;) {
        ssize_t count = read(file, buffer + kept, CHUNK);
        const unsigned char *p = buffer, *end = buffer + kept + (count > 0 ? count : 0), *next;
        while (p < end && (next = record(p, end, count <= 0, &line))) p = next;
        if (count <= 0) break;
        kept = (size_t)(end - p);
        if (kept > RECORD) exit(2);
        memmove(buffer, p, kept);
    }
    close(file);
}

int main(int argc, char **argv) {
    int runs = argc > 2 ? atoi(argv[2]) : 1;
    if (argc < 2) return 2;
    classes[','] = classes['\r'] = classes['\n'] = 1;
    for (int i = 0; i < runs; i++) {
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        run(argv[1]);
        int64_t *totals = calloc(sku_count, sizeof *totals), units = 0;
        for (uint32_t r = 0; r < row_count; r++)
            if (!rows[r].dropped) totals[rows[r].sku] += rows[r].units;
        for (uint32_t s = 0; s < sku_count; s++) units += totals[s];
        clock_gettime(CLOCK_MONOTONIC, &to);
        printf("%.4f %u %ld %ld %ld %ld %ld\n", 
            (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9,
               sku_count, rows_read, accepted, set_aside, merged, (long)units);
        free(slots), free(ends), free(heads), free(arena), free(rows), free(totals);
    }
    return 0;
}
