/* Ceilings of the copy and upsert benchmarks: the same statements in tight C over libpq.
 *
 * usage: rows copy|upsert DATABASE COUNT     prints seconds
 * build: cc -O2 $(pkg-config --cflags libpq) -o rows rows.c -lpq
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MERGE " ON CONFLICT (sku, warehouse) DO UPDATE SET on_hand = excluded.on_hand " \
              "WHERE l.on_hand IS DISTINCT FROM excluded.on_hand"

enum { BATCH = 1000, CHUNK = 65536 };

static PGconn *database;

static void run(const char *sql) {
    PGresult *result = PQexec(database, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_COPY_IN) {
        fprintf(stderr, "rows: %s\n", PQerrorMessage(database));
        exit(1);
    }
    PQclear(result);
}

static long on_hand(long number) { return number % 20 == 0 ? number + 1 : number; }
static const char *warehouse(long number) { return number % 2 ? "HCM" : "HN"; }

static void copy(long count) {
    static char buffer[CHUNK + 128];
    int used = 0;
    run("BEGIN");
    run("CREATE TEMP TABLE staging (sku text, warehouse text, on_hand bigint) ON COMMIT DROP");
    run("COPY staging (sku, warehouse, on_hand) FROM STDIN");
    for (long number = 0; number < count; number++) {
        used += sprintf(buffer + used, "HS%ld\t%s\t%ld\n", 1000000 + number / 2, warehouse(number), on_hand(number));
        if (used < CHUNK && number + 1 < count) continue;
        if (PQputCopyData(database, buffer, used) != 1) exit(1);
        used = 0;
    }
    PQputCopyEnd(database, NULL);
    for (PGresult *result; (result = PQgetResult(database));) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK) exit(1);
        PQclear(result);
    }
    run("INSERT INTO levels AS l (sku, warehouse, on_hand) SELECT sku, warehouse, on_hand FROM staging" MERGE);
    run("COMMIT");
}

static void upsert(long count) {
    static char skus[BATCH * 24], warehouses[BATCH * 8], quantities[BATCH * 24];
    PQclear(PQprepare(database, "upsert", "INSERT INTO levels AS l (sku, warehouse, on_hand) "
        "SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])" MERGE, 0, NULL));
    for (long first = 0; first < count; first += BATCH) {
        char *sku = skus, *place = warehouses, *quantity = quantities;
        for (long number = first; number < first + BATCH && number < count; number++) {
            char before = number == first ? '{' : ',';
            sku += sprintf(sku, "%cHS%ld", before, 1000000 + number / 2);
            place += sprintf(place, "%c%s", before, warehouse(number));
            quantity += sprintf(quantity, "%c%ld", before, on_hand(number));
        }
        strcpy(sku, "}"), strcpy(place, "}"), strcpy(quantity, "}");
        PGresult *result = PQexecPrepared(database, "upsert", 3,
            (const char *[]){skus, warehouses, quantities}, 0, 0, 0);
        if (PQresultStatus(result) != PGRES_COMMAND_OK) exit(1);
        PQclear(result);
    }
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    database = PQconnectdb(argv[2]);
    if (PQstatus(database) != CONNECTION_OK) return 1;
    run("SET search_path = bench");
    (strcmp(argv[1], "copy") ? upsert : copy)(atol(argv[3]));
    clock_gettime(CLOCK_MONOTONIC, &to);
    printf("%.4f\n", (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9);
    PQfinish(database);
    return 0;
}
