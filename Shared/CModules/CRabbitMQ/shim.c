#include "CRabbitMQ.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

crabbitmq_frame_kind crabbitmq_classify(const amqp_frame_t *frame) {
    switch (frame->frame_type) {
        case AMQP_FRAME_HEADER: return CRABBITMQ_FRAME_HEADER;
        case AMQP_FRAME_BODY: return CRABBITMQ_FRAME_BODY;
        case AMQP_FRAME_METHOD: break;
        default: return CRABBITMQ_FRAME_OTHER;
    }
    switch (frame->payload.method.id) {
        case AMQP_BASIC_DELIVER_METHOD: return CRABBITMQ_FRAME_DELIVER;
        case AMQP_BASIC_ACK_METHOD: return CRABBITMQ_FRAME_ACK;
        case AMQP_BASIC_NACK_METHOD: return CRABBITMQ_FRAME_NACK;
        case AMQP_BASIC_RETURN_METHOD: return CRABBITMQ_FRAME_RETURN;
        case AMQP_BASIC_CANCEL_METHOD: return CRABBITMQ_FRAME_CANCEL;
        case AMQP_CHANNEL_CLOSE_METHOD: return CRABBITMQ_FRAME_CHANNEL_CLOSE;
        case AMQP_CONNECTION_CLOSE_METHOD: return CRABBITMQ_FRAME_CONNECTION_CLOSE;
        case AMQP_CONNECTION_BLOCKED_METHOD: return CRABBITMQ_FRAME_BLOCKED;
        case AMQP_CONNECTION_UNBLOCKED_METHOD: return CRABBITMQ_FRAME_UNBLOCKED;
        default: return CRABBITMQ_FRAME_OTHER;
    }
}

amqp_rpc_reply_t crabbitmq_login(amqp_connection_state_t state, const char *virtual_host, int frame_max,
                                 int heartbeat, const amqp_table_t *properties, const char *user,
                                 const char *password) {
    // One channel a connection would allow channel_max 1, but some brokers count differently; a few do no harm.
    return amqp_login_with_properties(state, virtual_host, 8, frame_max, heartbeat, properties,
                                      AMQP_SASL_METHOD_PLAIN, user, password);
}

crabbitmq_refusal crabbitmq_refusal_of(amqp_rpc_reply_t reply) {
    crabbitmq_refusal refusal = {0, amqp_empty_bytes, false};
    if (reply.reply_type != AMQP_RESPONSE_SERVER_EXCEPTION) return refusal;
    if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
        const amqp_connection_close_t *close = reply.reply.decoded;
        refusal.code = close->reply_code;
        refusal.text = close->reply_text;
        refusal.closes_connection = true;
    } else if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
        const amqp_channel_close_t *close = reply.reply.decoded;
        refusal.code = close->reply_code;
        refusal.text = close->reply_text;
    }
    return refusal;
}

int crabbitmq_send_close_ok(amqp_connection_state_t state, amqp_channel_t channel) {
    if (channel == 0) {
        amqp_connection_close_ok_t ok = {0};
        return amqp_send_method(state, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok);
    }
    amqp_channel_close_ok_t ok = {0};
    return amqp_send_method(state, channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok);
}

// Frame layout (AMQP 0-9-1, 2.3.5): type, channel (2), size (4), payload, 0xCE.
enum { FRAME_HEAD = 7, FRAME_OVERHEAD = 8, FRAME_END = 0xCE };

static void put16(uint8_t *at, uint16_t value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value) {
    put16(at, (uint16_t)(value >> 16));
    put16(at + 2, (uint16_t)value);
}

static uint8_t *close_frame(uint8_t *frame, uint8_t type, amqp_channel_t channel, size_t size) {
    frame[0] = type;
    put16(frame + 1, channel);
    put32(frame + 3, (uint32_t)size);
    frame[FRAME_HEAD + size] = FRAME_END;
    return frame + FRAME_OVERHEAD + size;
}

static size_t left(const uint8_t *at, const uint8_t *end, size_t reserved) {
    size_t space = (size_t)(end - at);
    return space > reserved ? space - reserved : 0;
}

ssize_t crabbitmq_encode_publish(uint8_t *out, size_t capacity, amqp_channel_t channel, amqp_bytes_t exchange,
                                 amqp_bytes_t routing_key, bool mandatory, const amqp_basic_properties_t *properties,
                                 const void *body, size_t body_length, size_t frame_max) {
    const uint8_t *end = out + capacity;
    uint8_t *at = out;

    amqp_basic_publish_t method = {0, exchange, routing_key, mandatory, 0};
    amqp_bytes_t space = {left(at, end, FRAME_OVERHEAD + 4), at + FRAME_HEAD + 4};
    if (space.len == 0) return AMQP_STATUS_NO_MEMORY;
    int length = amqp_encode_method(AMQP_BASIC_PUBLISH_METHOD, &method, space);
    if (length < 0) return length;
    put32(at + FRAME_HEAD, AMQP_BASIC_PUBLISH_METHOD);
    at = close_frame(at, AMQP_FRAME_METHOD, channel, (size_t)length + 4);

    // Content header: class, weight 0, body size (8), flags and properties.
    space.len = left(at, end, FRAME_OVERHEAD + 12);
    space.bytes = at + FRAME_HEAD + 12;
    if (space.len == 0) return AMQP_STATUS_NO_MEMORY;
    length = amqp_encode_properties(AMQP_BASIC_CLASS, (void *)properties, space);
    if (length < 0) return length;
    put16(at + FRAME_HEAD, AMQP_BASIC_CLASS);
    put16(at + FRAME_HEAD + 2, 0);
    put32(at + FRAME_HEAD + 4, (uint32_t)((uint64_t)body_length >> 32));
    put32(at + FRAME_HEAD + 8, (uint32_t)body_length);
    at = close_frame(at, AMQP_FRAME_HEADER, channel, (size_t)length + 12);

    const size_t largest = frame_max - FRAME_OVERHEAD;
    for (size_t done = 0; done < body_length;) {
        size_t part = body_length - done < largest ? body_length - done : largest;
        if (left(at, end, FRAME_OVERHEAD) < part) return AMQP_STATUS_NO_MEMORY;
        memcpy(at + FRAME_HEAD, (const uint8_t *)body + done, part);
        at = close_frame(at, AMQP_FRAME_BODY, channel, part);
        done += part;
    }
    return at - out;
}

int crabbitmq_prepare_socket(int fd, unsigned user_timeout_milliseconds) {
    int on = 1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout_milliseconds, sizeof user_timeout_milliseconds) ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) ||
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on)) {
        return -errno;
    }
    return 0;
}

ssize_t crabbitmq_send(int fd, const void *bytes, size_t length) {
    for (;;) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) return sent;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
        if (errno != EINTR) return -errno;
    }
}

int crabbitmq_wait(int fd, bool for_writing, int bell, int timeout_milliseconds) {
    struct pollfd polled[2] = {
        {fd, (short)(POLLIN | (for_writing ? POLLOUT : 0)), 0},
        {bell, POLLIN, 0},
    };
    // An interrupted wait counts as one that ran out: every caller loops over its own deadline.
    if (poll(polled, 2, timeout_milliseconds) <= 0) return 0;
    int result = 0;
    if (polled[0].revents & (POLLIN | POLLHUP | POLLERR | POLLNVAL)) result |= CRABBITMQ_READABLE;
    if (polled[0].revents & POLLOUT) result |= CRABBITMQ_WRITABLE;
    if (polled[1].revents & POLLIN) result |= CRABBITMQ_RUNG;
    return result;
}

int crabbitmq_bell_new(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

void crabbitmq_bell_ring(int bell) {
    uint64_t one = 1;
    ssize_t ignored = write(bell, &one, sizeof one);
    (void)ignored;
}

void crabbitmq_bell_clear(int bell) {
    uint64_t count;
    ssize_t ignored = read(bell, &count, sizeof count);
    (void)ignored;
}
