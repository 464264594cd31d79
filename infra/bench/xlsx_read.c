/* Ceiling of the xlsx-read benchmark: libzip and libxml2's SAX2 push parser, for workbooks whose first worksheet is
 * xl/worksheets/sheet1.xml and whose cells are shared strings or numbers. Counts rows, cells and bytes of text.
 *
 * usage: xlsx_read FILE [RUNS]     prints seconds, rows, cells, bytes
 * build: cc -O2 $(pkg-config --cflags libxml-2.0) -o xlsx_read xlsx_read.c -lzip -lxml2
 */
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zip.h>

enum { CHUNK = 131072 };

static char *strings;
static size_t strings_used, strings_capacity;
static size_t *ends;
static size_t string_count, string_capacity;
static long rows, cells, bytes;
static int in_text, shared;
static char value[64];
static size_t value_length;

static void strings_start(void *u, const xmlChar *name, const xmlChar *p, const xmlChar *uri, int nn,
    const xmlChar **ns,
                          int count, int defaulted, const xmlChar **attributes) {
    (void)u, (void)p, (void)uri, (void)nn, (void)ns, (void)count, (void)defaulted, (void)attributes;
    in_text = name[0] == 't' && !name[1];
}

static void strings_end(void *u, const xmlChar *name, const xmlChar *p, const xmlChar *uri) {
    (void)u, (void)p, (void)uri;
    in_text = 0;
    if (strcmp((const char *)name, "si")) return;
    if (string_count == string_capacity)
        ends = realloc(ends, (string_capacity = string_capacity * 2 + 64) * sizeof *ends);
    ends[string_count++] = strings_used;
}

static void strings_text(void *u, const xmlChar *text, int count) {
    (void)u;
    if (!in_text) return;
    if (strings_used + (size_t)count > strings_capacity)
        strings = realloc(strings, strings_capacity = strings_capacity * 2 + (size_t)count + 4096);
    memcpy(strings + strings_used, text, (size_t)count);
    strings_used += (size_t)count;
}

static void sheet_start(void *u, const xmlChar *name, const xmlChar *p, const xmlChar *uri, int nn,
    const xmlChar **ns,
                        int count, int defaulted, const xmlChar **attributes) {
    (void)u, (void)p, (void)uri, (void)nn, (void)ns, (void)defaulted;
    if (name[1]) return;
    if (name[0] == 'c') {
        shared = 0;
        value_length = 0;
        for (int i = 0; i < count; i++)
            if (attributes[i * 5][0] == 't') shared = attributes[i * 5 + 3][0] == 's';
    }
    in_text = name[0] == 'v';
}

static void sheet_end(void *u, const xmlChar *name, const xmlChar *p, const xmlChar *uri) {
    (void)u, (void)p, (void)uri;
    in_text = 0;
    if (name[0] == 'r' && !strcmp((const char *)name, "row")) rows++;
    if (name[0] != 'c' || name[1]) return;
    cells++;
    value[value_length] = 0;
    if (shared) {
        size_t index = strtoul(value, 0, 10);
        if (index < string_count) bytes += (long)(ends[index] - (index ? ends[index - 1] : 0));
    } else {
        bytes += (long)value_length;
    }
}

static void sheet_text(void *u, const xmlChar *text, int count) {
    (void)u;
    if (!in_text || value_length + (size_t)count >= sizeof value) return;
    memcpy(value + value_length, text, (size_t)count);
    value_length += (size_t)count;
}

static void parse(zip_t *archive, const char *name, xmlSAXHandler *handler) {
    static char buffer[CHUNK];
    zip_file_t *file = zip_fopen(archive, name, 0);
    if (!file) return;
    xmlParserCtxtPtr context = xmlCreatePushParserCtxt(handler, 0, 0, 0, 0);
    zip_int64_t count;
    while ((count = zip_fread(file, buffer, CHUNK)) > 0) xmlParseChunk(context, buffer, (int)count, 0);
    xmlParseChunk(context, 0, 0, 1);
    xmlFreeParserCtxt(context);
    zip_fclose(file);
}

int main(int argc, char **argv) {
    int runs = argc > 2 ? atoi(argv[2]) : 1;
    if (argc < 2) return 2;
    xmlSAXHandler table = {.initialized = XML_SAX2_MAGIC, .startElementNs = strings_start, .endElementNs = strings_end,
                           .characters = strings_text, .ignorableWhitespace = strings_text};
    xmlSAXHandler sheet = {.initialized = XML_SAX2_MAGIC, .startElementNs = sheet_start, .endElementNs = sheet_end,
                           .characters = sheet_text, .ignorableWhitespace = sheet_text};
    for (int i = 0; i < runs; i++) {
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        rows = cells = bytes = 0;
        strings_used = string_count = 0;
        zip_t *archive = zip_open(argv[1], ZIP_RDONLY, 0);
        if (!archive) return 1;
        parse(archive, "xl/sharedStrings.xml", &table);
        parse(archive, "xl/worksheets/sheet1.xml", &sheet);
        zip_discard(archive);
        clock_gettime(CLOCK_MONOTONIC, &to);
        printf("%.4f %ld %ld %ld\n", 
            (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9, rows,
               cells, bytes);
    }
    return 0;
}
