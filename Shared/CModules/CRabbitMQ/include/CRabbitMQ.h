// What Swift cannot import of librabbitmq 0.11 (variadic functions, macros with casts, unions keyed by a method id),
// and the two things the library lacks: encoding a publish without sending it, and bounded socket calls.
#ifndef STOCKBRIDGE_CRABBITMQ_H
#define STOCKBRIDGE_CRABBITMQ_H

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// What an incoming frame is, as far as the wrapper cares.
typedef enum {
    CRABBITMQ_FRAME_OTHER,
    CRABBITMQ_FRAME_DELIVER,
    CRABBITMQ_FRAME_HEADER,
    CRABBITMQ_FRAME_BODY,
    CRABBITMQ_FRAME_ACK,
    CRABBITMQ_FRAME_NACK,
    CRABBITMQ_FRAME_RETURN,
    CRABBITMQ_FRAME_CANCEL,
    CRABBITMQ_FRAME_CHANNEL_CLOSE,
    CRABBITMQ_FRAME_CONNECTION_CLOSE,
    CRABBITMQ_FRAME_BLOCKED,
    CRABBITMQ_FRAME_UNBLOCKED,
} crabbitmq_frame_kind;

crabbitmq_frame_kind crabbitmq_classify(const amqp_frame_t *frame);

/// The decoded method of a frame; valid until the library's buffers are released.
static inline const void *crabbitmq_method(const amqp_frame_t *frame) {
    return frame->payload.method.decoded;
}
static inline const amqp_basic_properties_t *crabbitmq_properties(const amqp_frame_t *frame) {
    return (const amqp_basic_properties_t *)frame->payload.properties.decoded;
}
static inline uint64_t crabbitmq_body_size(const amqp_frame_t *frame) { return frame->payload.properties.body_size; }
static inline amqp_bytes_t crabbitmq_fragment(const amqp_frame_t *frame) { return frame->payload.body_fragment; }

/// `amqp_login_with_properties` with SASL PLAIN; the original is variadic.
amqp_rpc_reply_t crabbitmq_login(amqp_connection_state_t state, const char *virtual_host, int frame_max,
                                 int heartbeat, const amqp_table_t *properties, const char *user,
                                 const char *password);

/// The code and text with which the broker refused something; code 0 if the reply is no refusal.
typedef struct {
    uint16_t code;
    amqp_bytes_t text;
    bool closes_connection;
} crabbitmq_refusal;
crabbitmq_refusal crabbitmq_refusal_of(amqp_rpc_reply_t reply);

/// Confirms the broker's close of the channel (or of the connection, channel 0), which the library leaves to us.
int crabbitmq_send_close_ok(amqp_connection_state_t state, amqp_channel_t channel);

/// Writes the frames of one basic.publish into `out`; returns their length, or a negative `amqp_status_enum`.
ssize_t crabbitmq_encode_publish(uint8_t *out, size_t capacity, amqp_channel_t channel, amqp_bytes_t exchange,
                                 amqp_bytes_t routing_key, bool mandatory, const amqp_basic_properties_t *properties,
                                 const void *body, size_t body_length, size_t frame_max);

/// TCP_USER_TIMEOUT (an unacknowledged write fails after it), keep-alive probes and TCP_NODELAY; 0 or -errno.
int crabbitmq_prepare_socket(int fd, unsigned user_timeout_milliseconds);

/// One `send` that neither blocks nor raises SIGPIPE: bytes taken, 0 when the socket is full, or -errno.
ssize_t crabbitmq_send(int fd, const void *bytes, size_t length);

/// From now on, what goes wrong with TLS in this thread is remembered: the library itself says only that it did.
void crabbitmq_note_tls_failures(amqp_socket_t *socket);
/// Why the certificate was not accepted, in OpenSSL's words; NULL if it was, or if none was shown.
const char *crabbitmq_certificate_problem(void);
/// Why TLS could not be agreed on, in OpenSSL's words; NULL if nothing is known.
const char *crabbitmq_handshake_problem(void);

enum { CRABBITMQ_READABLE = 1, CRABBITMQ_WRITABLE = 2, CRABBITMQ_RUNG = 4 };
/// Waits for the socket, or for `bell` (an eventfd, or -1); which of the three happened, 0 when time is up.
int crabbitmq_wait(int fd, bool for_writing, int bell, int timeout_milliseconds);

/// A non-blocking eventfd, or -1.
int crabbitmq_bell_new(void);
void crabbitmq_bell_ring(int bell);
void crabbitmq_bell_clear(int bell);

#endif
