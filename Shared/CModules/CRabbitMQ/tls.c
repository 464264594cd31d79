#include "CRabbitMQ.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

// The library connects in the calling thread, so what went wrong there is known to that thread.
static _Thread_local long verification_error = X509_V_OK;

static int note_verification(int is_valid, X509_STORE_CTX *store) {
    if (!is_valid) verification_error = X509_STORE_CTX_get_error(store);
    return is_valid;
}

void crabbitmq_note_tls_failures(amqp_socket_t *socket) {
    verification_error = X509_V_OK;
    ERR_clear_error();
    SSL_CTX *context = amqp_ssl_socket_get_context(socket);
    if (context) SSL_CTX_set_verify(context, SSL_CTX_get_verify_mode(context), note_verification);
}

const char *crabbitmq_certificate_problem(void) {
    return verification_error == X509_V_OK ? NULL : X509_verify_cert_error_string(verification_error);
}

const char *crabbitmq_handshake_problem(void) {
    unsigned long code = ERR_peek_last_error();
    return code ? ERR_reason_error_string(code) : NULL;
}
