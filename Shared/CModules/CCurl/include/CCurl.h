#ifndef STOCKBRIDGE_CCURL_H
#define STOCKBRIDGE_CCURL_H

#include <curl/curl.h>

// Swift cannot call variadic C functions. Each function below is one argument type of curl_easy_setopt,
// curl_easy_getinfo or curl_multi_setopt, so the compiler checks what the original leaves to chance.

CURLcode ccurl_set_long(CURL *easy, CURLoption option, long value);
CURLcode ccurl_set_offset(CURL *easy, CURLoption option, curl_off_t value);
CURLcode ccurl_set_string(CURL *easy, CURLoption option, const char *value);
CURLcode ccurl_set_pointer(CURL *easy, CURLoption option, void *value);

CURLcode ccurl_set_data_callback(CURL *easy, CURLoption option, curl_write_callback callback);
CURLcode ccurl_set_read_callback(CURL *easy, curl_read_callback callback);
CURLcode ccurl_set_seek_callback(CURL *easy, curl_seek_callback callback);
CURLcode ccurl_set_debug_callback(CURL *easy, curl_debug_callback callback);
CURLcode ccurl_set_prerequest_callback(CURL *easy, curl_prereq_callback callback);
CURLcode ccurl_set_host_key_callback(CURL *easy, curl_sshkeycallback callback);

CURLcode ccurl_get_long(CURL *easy, CURLINFO info, long *value);
CURLcode ccurl_get_offset(CURL *easy, CURLINFO info, curl_off_t *value);

CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value);

#endif
