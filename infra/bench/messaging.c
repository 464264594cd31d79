/* Ceilings of the messaging benchmarks: the same work as the Swift side in tight C over the same libraries.
 *
 * usage: messaging chain BROKER DATABASE QUEUE COUNT     consume, inbox + effect + outbox, acknowledge; 100 a batch
 *        messaging relay BROKER DATABASE COUNT           outbox to the broker with confirms; 500 a round
 *        messaging publish BROKER QUEUE COUNT            persistent, mandatory, confirms, 1,000 in flight, 512 bytes
 *        messaging consume BROKER QUEUE COUNT            prefetch 500, multiple acknowledgements, 100 at once
 *        messaging pipeline BROKER QUEUE OUT COUNT       consume, publish with confirms, ack; prefetch 500
 * prints seconds from connecting to the last commit or answer.
 * build: cc -O2 $(pkg-config --cflags libpq) -o messaging messaging.c -lrabbitmq -lpq
 */
#define _GNU_SOURCE
#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <libpq-fe.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { BATCH = 100, ROUND = 500, WINDOW = 1000, BODY = 512 };

static amqp_connection_state_t broker;
static PGconn *database;

static void fail(const char *what) {
    fprintf(stderr, "messaging: %s: %s\n", what, database ? PQerrorMessage(database) : "");
    exit(1);
}

static void check(int ok, const char *what) {
    if (!ok) fail(what);
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static amqp_bytes_t bytes(const char *text) { return (amqp_bytes_t){strlen(text), (void *)text}; }

static void connect_broker(char *url) {
    struct amqp_connection_info info;
    check(amqp_parse_url(url, &info) == AMQP_STATUS_OK, "broker address");
    broker = amqp_new_connection();
    amqp_socket_t *socket = amqp_tcp_socket_new(broker);
    check(amqp_socket_open(socket, info.host, info.port) == AMQP_STATUS_OK, "connect to the broker");
    amqp_rpc_reply_t reply = amqp_login(broker, info.vhost, 0, 131072, 10, AMQP_SASL_METHOD_PLAIN,
        info.user, info.password);
    check(reply.reply_type == AMQP_RESPONSE_NORMAL, "login");
    amqp_channel_open(broker, 1);
    check(amqp_get_rpc_reply(broker).reply_type == AMQP_RESPONSE_NORMAL, "channel");
}

static void start_consuming(const char *queue, uint16_t prefetch) {
    amqp_basic_qos(broker, 1, 0, prefetch, 0);
    amqp_basic_consume(broker, 1, bytes(queue), amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
    check(amqp_get_rpc_reply(broker).reply_type == AMQP_RESPONSE_NORMAL, "consume");
}

static void connect_database(const char *url) {
    database = PQconnectdb(url);
    check(PQstatus(database) == CONNECTION_OK, "connect to the database");
    PQclear(PQexec(database, "SET search_path = bench"));
}

static void prepare(const char *name, const char *sql) {
    PGresult *result = PQprepare(database, name, sql, 0, NULL);
    check(PQresultStatus(result) == PGRES_COMMAND_OK, name);
    PQclear(result);
}

/* Texts that grow: array literals for unnest. */
typedef struct { char *start; size_t count, capacity; } Text;

static void add_bytes(Text *text, const char *from, size_t count) {
    if (text->count + count + 1 > text->capacity) {
        text->capacity = (text->count + count + 1) * 2;
        text->start = realloc(text->start, text->capacity);
    }
    memcpy(text->start + text->count, from, count);
    text->count += count;
    text->start[text->count] = 0;
}

static void add(Text *text, const char *from) { add_bytes(text, from, strlen(from)); }

static void add_element(Text *text, const char *from, size_t count) {
    add(text, text->count > 1 ? ",\"" : "\"");
    for (size_t i = 0, start = 0; i <= count; i++) {
        if (i < count && from[i] != '"' && from[i] != '\\') continue;
        add_bytes(text, from + start, i - start);
        if (i < count) add_bytes(text, "\\", 1);
        start = i;
    }
    add_bytes(text, "\"", 1);
}

static void open_array(Text *text) {
    text->count = 0;
    add(text, "{");
}

/* ---- pipeline mode ---- */

static void send_plain(const char *sql) { check(PQsendQueryParams(database, sql, 0, 0, 0, 0, 0, 0), sql); }

static void send_prepared(const char *name, int count, const char *const *values) {
    check(PQsendQueryPrepared(database, name, count, values, 0, 0, 0), name);
}

static PGresult *answer(ExecStatusType expected) {
    PGresult *result = PQgetResult(database);
    if (PQresultStatus(result) != expected) fail(PQresultErrorMessage(result));
    if (expected != PGRES_PIPELINE_SYNC) PQgetResult(database);
    return result;
}

static void answers(int commands) {
    while (commands--) {
        PGresult *result = PQgetResult(database);
        ExecStatusType status = PQresultStatus(result);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail(PQresultErrorMessage(result));
        PQclear(result);
        PQgetResult(database);
    }
}

/* ---- chain ---- */

static void make_uuid(char *out) {
    static uint64_t state[2];
    if (!state[0]) check(getrandom(state, sizeof state, 0) == sizeof state, "random");
    unsigned char raw[16];
    for (int half = 0; half < 2; half++) {
        uint64_t z = (state[half] += 0x9E3779B97F4A7C15u);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        z ^= z >> 31;
        memcpy(raw + 8 * half, &z, 8);
    }
    raw[6] = (raw[6] & 15) | 64;
    raw[8] = (raw[8] & 63) | 128;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *out++ = '-';
        *out++ = "0123456789abcdef"[raw[i] >> 4];
        *out++ = "0123456789abcdef"[raw[i] & 15];
    }
    *out = 0;
}

static amqp_bytes_t header(const amqp_basic_properties_t *properties, const char *name) {
    for (int i = 0; i < properties->headers.num_entries; i++) {
        amqp_table_entry_t *entry = &properties->headers.entries[i];
        if (entry->key.len == strlen(name) && !memcmp(entry->key.bytes, name, entry->key.len))
            return entry->value.value.bytes;
    }
    return amqp_empty_bytes;
}

static amqp_bytes_t field(amqp_bytes_t body, const char *name) {
    char *at = memmem(body.bytes, body.len, name, strlen(name));
    check(at != NULL, name);
    at += strlen(name);
    char *end = at;
    while (*end != '"' && *end != ',' && *end != '}') end++;
    return (amqp_bytes_t){(size_t)(end - at), at};
}

static Text ids, skus, quantities, out_ids, exchanges, keys, headers, bodies;

static void take(const amqp_message_t *message) {
    char id[40], text[1024];
    const amqp_basic_properties_t *p = &message->properties;
    amqp_bytes_t sku = field(message->body, "\"sku\":\""), quantity = field(message->body, "\"on_hand\":");
    amqp_bytes_t trace = header(p, "traceparent"), subject = header(p, "cloudEvents_subject");
    add_element(&ids, p->message_id.bytes, p->message_id.len);
    add_element(&skus, sku.bytes, sku.len);
    add_element(&quantities, quantity.bytes, quantity.len);
    make_uuid(id);
    add_element(&out_ids, id, 36);
    add_element(&exchanges, "stockbridge.events", 18);
    add_element(&keys, "bench.recorded", 14);
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    int count = snprintf(text, sizeof text,
        "cloudEvents_specversion\t1.0\ncloudEvents_id\t%s\ncloudEvents_type\tbench.recorded\n"
        "cloudEvents_source\t/stockbridge/notifier\ncloudEvents_subject\t%.*s\n"
        "cloudEvents_time\t%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\n"
        "cloudEvents_dataschema\turn:stockbridge:bench.recorded:1\ncorrelation-id\t%.*s\ntraceparent\t%.*s",
        id, (int)subject.len, (char *)subject.bytes, parts.tm_year + 1900, parts.tm_mon + 1,
        parts.tm_mday, parts.tm_hour,
        parts.tm_min, parts.tm_sec, (int)(now.tv_nsec / 1000000), (int)p->correlation_id.len,
        (char *)p->correlation_id.bytes, (int)trace.len, (char *)trace.bytes);
    add_element(&headers, text, (size_t)count);
    count = snprintf(text, sizeof text,
        "{\"cause\":\"%.*s\",\"note\":\"recorded by the benchmark, as a service would\",\"on_hand\":%.*s,"
        "\"sku\":\"%.*s\"}",
        (int)p->message_id.len, (char *)p->message_id.bytes, (int)quantity.len, (char *)quantity.bytes, (int)sku.len,
        (char *)sku.bytes);
    add_element(&bodies, text, (size_t)count);
}

static void commit_batch(const char *queue, int count) {
    Text *arrays[] = {&ids, &skus, &quantities, &out_ids, &exchanges, &keys, &headers, &bodies};
    for (int i = 0; i < 8; i++) add(arrays[i], "}");
    check(PQenterPipelineMode(database), "pipeline");
    send_plain("BEGIN");
    send_prepared("claim", 2, (const char *[]){queue, ids.start});
    check(PQpipelineSync(database), "sync");
    answers(1);
    PGresult *claimed = answer(PGRES_TUPLES_OK);
    check(PQntuples(claimed) == count, "a message came twice");
    PQclear(claimed);
    PQclear(answer(PGRES_PIPELINE_SYNC));
    send_prepared("effect", 3, (const char *[]){ids.start, skus.start, quantities.start});
    send_prepared("outbox", 5, 
        (const char *[]){out_ids.start, exchanges.start, keys.start, headers.start, bodies.start});
    send_prepared("notify", 1, (const char *[]){"outbox_notifier"});
    send_plain("COMMIT");
    check(PQpipelineSync(database), "sync");
    answers(4);
    PQclear(answer(PGRES_PIPELINE_SYNC));
    check(PQexitPipelineMode(database), "end of pipeline");
}

static void prepare_chain(void) {
    prepare("claim", "INSERT INTO inbox (consumer, message_id) SELECT $1, id FROM unnest($2::uuid[]) AS id ORDER BY id "
                     "ON CONFLICT DO NOTHING RETURNING message_id");
    prepare("effect",
        "INSERT INTO effects (event_id, sku, on_hand) SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[])");
    prepare("outbox", "INSERT INTO outbox (id, exchange, routing_key, headers, body) "
                      "SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])");
    prepare("notify", "SELECT pg_notify($1, '')");
}

static void chain(char *url, const char *database_url, const char *queue, long total) {
    connect_database(database_url);
    prepare_chain();
    connect_broker(url);
    start_consuming(queue, 300);
    for (long done = 0; done < total;) {
        Text *arrays[] = {&ids, &skus, &quantities, &out_ids, &exchanges, &keys, &headers, &bodies};
        for (int i = 0; i < 8; i++) open_array(arrays[i]);
        uint64_t last = 0;
        int count = 0;
        while (count < BATCH) {
            amqp_envelope_t envelope;
            struct timeval first = {10, 0}, linger = {0, 2000};
            amqp_maybe_release_buffers(broker);
            amqp_rpc_reply_t reply = amqp_consume_message(broker, &envelope, count ? &linger : &first, 0);
            if (reply.reply_type != AMQP_RESPONSE_NORMAL) {
                check(count > 0 && reply.library_error == AMQP_STATUS_TIMEOUT, "no message");
                break;
            }
            take(&envelope.message);
            last = envelope.delivery_tag;
            count++;
            amqp_destroy_envelope(&envelope);
        }
        commit_batch(queue, count);
        check(amqp_basic_ack(broker, 1, last, 1) == AMQP_STATUS_OK, "ack");
        done += count;
    }
}

/* ---- publishing with confirms ---- */

static uint64_t published, confirmed, lowest = 1;
static char *answered;

static void settle(uint64_t number) {
    if (!answered[number]) confirmed++;
    answered[number] = 1;
}

/* Handles one frame; waits for it if asked to. */
static int handle_frame(int wait) {
    amqp_frame_t frame;
    struct timeval none = {0, 0}, patience = {10, 0};
    int status = amqp_simple_wait_frame_noblock(broker, &frame, wait ? &patience : &none);
    if (status == AMQP_STATUS_TIMEOUT && !wait) return 0;
    check(status == AMQP_STATUS_OK, "no confirm");
    check(frame.frame_type == AMQP_FRAME_METHOD && frame.payload.method.id == AMQP_BASIC_ACK_METHOD, "not confirmed");
    amqp_basic_ack_t *ack = frame.payload.method.decoded;
    if (ack->multiple) {
        while (lowest <= ack->delivery_tag) settle(lowest++);
    } else {
        settle(ack->delivery_tag);
    }
    amqp_maybe_release_buffers(broker);
    return 1;
}

static void select_confirms(long total) {
    answered = calloc((size_t)total + 2, 1);
    amqp_confirm_select(broker, 1);
    check(amqp_get_rpc_reply(broker).reply_type == AMQP_RESPONSE_NORMAL, "confirm.select");
}

static void publish_one(amqp_bytes_t exchange, amqp_bytes_t key, const amqp_basic_properties_t *p, amqp_bytes_t body) {
    check(amqp_basic_publish(broker, 1, exchange, key, 1, 0, p, body) == AMQP_STATUS_OK, "publish");
    published++;
}

static amqp_bytes_t column(PGresult *rows, int row, int index) {
    return (amqp_bytes_t){(size_t)PQgetlength(rows, row, index), PQgetvalue(rows, row, index)};
}

static void publish_row(PGresult *rows, int row) {
    amqp_table_entry_t entries[16];
    amqp_basic_properties_t p = {0};
    p._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG |
               AMQP_BASIC_HEADERS_FLAG;
    p.content_type = bytes("application/json");
    p.delivery_mode = 2;
    p.message_id = column(rows, row, 1);
    p.headers.entries = entries;
    char *at = PQgetvalue(rows, row, 4), *end = at + PQgetlength(rows, row, 4);
    while (at < end) {
        char *tab = memchr(at, '\t', (size_t)(end - at)), *line = memchr(at, '\n', (size_t)(end - at));
        if (!line) line = end;
        amqp_bytes_t name = {(size_t)(tab - at), at}, value = {(size_t)(line - tab - 1), tab + 1};
        if (name.len == 14 && !memcmp(at, "correlation-id", 14)) {
            p._flags |= AMQP_BASIC_CORRELATION_ID_FLAG;
            p.correlation_id = value;
        } else {
            if (name.len == 16 && !memcmp(at, "cloudEvents_type", 16)) {
                p._flags |= AMQP_BASIC_TYPE_FLAG;
                p.type = value;
            }
            amqp_table_entry_t *entry = &entries[p.headers.num_entries++];
            entry->key = name;
            entry->value.kind = AMQP_FIELD_KIND_UTF8;
            entry->value.value.bytes = value;
        }
        at = line + 1;
    }
    publish_one(column(rows, row, 2), column(rows, row, 3), &p, column(rows, row, 5));
}

static void relay(char *url, const char *database_url, long total) {
    connect_database(database_url);
    prepare("pick", "SELECT position, id, exchange, routing_key, headers, body FROM outbox "
                    "WHERE not_before <= clock_timestamp() ORDER BY position LIMIT 500 FOR UPDATE SKIP LOCKED");
    prepare("sent", "DELETE FROM outbox WHERE position = ANY($1)");
    connect_broker(url);
    select_confirms(total);
    Text positions = {0};
    check(PQenterPipelineMode(database), "pipeline");
    for (long done = 0; done < total;) {
        send_plain("BEGIN");
        send_prepared("pick", 0, NULL);
        check(PQpipelineSync(database), "sync");
        answers(1);
        PGresult *rows = answer(PGRES_TUPLES_OK);
        PQclear(answer(PGRES_PIPELINE_SYNC));
        int count = PQntuples(rows);
        check(count > 0, "the outbox is empty too early");
        open_array(&positions);
        for (int row = 0; row < count; row++) {
            publish_row(rows, row);
            add_element(&positions, PQgetvalue(rows, row, 0), (size_t)PQgetlength(rows, row, 0));
            while (amqp_data_in_buffer(broker) || amqp_frames_enqueued(broker)) handle_frame(0);
        }
        add(&positions, "}");
        while (confirmed < published) handle_frame(1);
        PQclear(rows);
        send_prepared("sent", 1, (const char *[]){positions.start});
        send_plain("COMMIT");
        check(PQpipelineSync(database), "sync");
        answers(2);
        PQclear(answer(PGRES_PIPELINE_SYNC));
        done += count;
    }
}

static void publish(char *url, const char *queue, long total) {
    static char body[BODY];
    memset(body, 'x', sizeof body);
    connect_broker(url);
    select_confirms(total);
    amqp_basic_properties_t p = {0};
    p._flags = AMQP_BASIC_DELIVERY_MODE_FLAG;
    p.delivery_mode = 2;
    for (long sent = 0; sent < total; sent++) {
        while (published - confirmed >= WINDOW) handle_frame(1);
        publish_one(amqp_empty_bytes, bytes(queue), &p, (amqp_bytes_t){sizeof body, body});
        if (sent % 16 == 0) while (handle_frame(0)) {}
    }
    while (confirmed < published) handle_frame(1);
}

static void consume(char *url, const char *queue, long total) {
    connect_broker(url);
    start_consuming(queue, 500);
    for (long taken = 1; taken <= total; taken++) {
        amqp_envelope_t envelope;
        struct timeval patience = {10, 0};
        amqp_maybe_release_buffers(broker);
        check(amqp_consume_message(broker, &envelope, &patience, 0).reply_type == AMQP_RESPONSE_NORMAL, "no message");
        if (taken % BATCH == 0 || taken == total) amqp_basic_ack(broker, 1, envelope.delivery_tag, 1);
        amqp_destroy_envelope(&envelope);
    }
}

/* Each on a connection of its own: the n-th delivery is the n-th message published, so confirms say what is done. */
static void pipeline(char *url, const char *queue, const char *out, long total) {
    char *again = strdup(url);
    connect_broker(again);
    amqp_connection_state_t consumer = broker;
    start_consuming(queue, 500);
    connect_broker(url);
    amqp_connection_state_t publisher = broker;
    select_confirms(total);
    amqp_basic_properties_t p = {0};
    p._flags = AMQP_BASIC_DELIVERY_MODE_FLAG;
    p.delivery_mode = 2;
    uint64_t settled = 0, acknowledged = 0;
    while (acknowledged < (uint64_t)total) {
        amqp_envelope_t envelope;
        struct timeval none = {0, 0}, patience = {10, 0};
        int idle = published == confirmed, came = 0;
        if (published < (uint64_t)total) {
            amqp_maybe_release_buffers(consumer);
            amqp_rpc_reply_t reply = amqp_consume_message(consumer, &envelope, idle ? &patience : &none, 0);
            came = reply.reply_type == AMQP_RESPONSE_NORMAL;
            check(came || (!idle && reply.library_error == AMQP_STATUS_TIMEOUT), "no message");
        }
        if (came) {
            publish_one(amqp_empty_bytes, bytes(out), &p, envelope.message.body);
            amqp_destroy_envelope(&envelope);
        } else {
            handle_frame(1);
        }
        if (!came || published % 16 == 0) while (handle_frame(0)) {}
        while (settled < published && answered[settled + 1]) settled++;
        if (settled - acknowledged >= BATCH || (settled == published && settled > acknowledged)) {
            check(amqp_basic_ack(consumer, 1, settled, 1) == AMQP_STATUS_OK, "ack");
            acknowledged = settled;
        }
    }
    amqp_connection_close(consumer, AMQP_REPLY_SUCCESS);
    broker = publisher;
    free(again);
}

int main(int argc, char **argv) {
    if (argc < 5) return 2;
    double start = seconds();
    if (!strcmp(argv[1], "chain") && argc == 6) chain(argv[2], argv[3], argv[4], atol(argv[5]));
    else if (!strcmp(argv[1], "relay")) relay(argv[2], argv[3], atol(argv[4]));
    else if (!strcmp(argv[1], "publish")) publish(argv[2], argv[3], atol(argv[4]));
    else if (!strcmp(argv[1], "consume")) consume(argv[2], argv[3], atol(argv[4]));
    else if (!strcmp(argv[1], "pipeline") && argc == 6) pipeline(argv[2], argv[3], argv[4], atol(argv[5]));
    else return 2;
    printf("%.4f\n", seconds() - start);
    amqp_connection_close(broker, AMQP_REPLY_SUCCESS);
    return 0;
}
