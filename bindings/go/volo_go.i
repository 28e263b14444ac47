/* SPDX-License-Identifier: Apache-2.0 */
/*
 * go/volo/internal/cvolo: SWIG's half of the Go binding, which sets a program
 * up.  scripts/bindings-update makes cvolo.go and cvolo_wrap.c of it, which
 * are checked in, so that "go build" needs no SWIG.
 *
 * What a request meets is written by hand, in the files beside those.
 */
%module cvolo

%go_import("strings")
%insert(go_wrapper) %{
// takeString makes a string of C's one of Go's.
func takeString(s string) string {
	text := strings.Clone(s)
	Swig_free(uintptr(unsafe.Pointer(unsafe.StringData(s))))
	return text
}
%}

/* Strings go in as they are, borrowed for the call, and come out copied. */
%typemap(gotype) volo_str "string"
%typemap(imtype) volo_str "string"
%typemap(in) volo_str %{
    $1.ptr = $input.p ? $input.p : "";
    $1.len = (size_t)$input.n;
%}
%typemap(out) volo_str %{
    $result = Swig_AllocateString($1.ptr, $1.len);
%}
%typemap(goout) volo_str, const char * %{
    $result = takeString($1)
%}

/* An empty string where C takes NULL for "not said". */
%typemap(in) const char *OPTIONAL %{
    $1 = NULL;
    if ($input.n) {
        $1 = malloc((size_t)$input.n + 1);
        memcpy($1, $input.p, (size_t)$input.n);
        $1[$input.n] = '\0';
    }
%}
%typemap(freearg) const char *OPTIONAL %{ free($1); %}
%apply const char *OPTIONAL {
    const char *method, const char *header, const char *csp,
    const char *key_file, const char *file, const char *text
};

/* What is made goes to a number that the caller has, since a handle is one. */
%define VOLO_GO_OUT(type)
%typemap(gotype) type **out "*uintptr"
%typemap(imtype) type **out "*uintptr"
%typemap(in) type **out %{ $1 = (type **)$input; %}
%enddef

VOLO_GO_OUT(volo_service)
VOLO_GO_OUT(volo_layer)
VOLO_GO_OUT(volo_router)
VOLO_GO_OUT(volo_route)
VOLO_GO_OUT(volo_queue)
VOLO_GO_OUT(volo_server)
VOLO_GO_OUT(volo_tls)
VOLO_GO_OUT(volo_cors)
VOLO_GO_OUT(volo_test)
VOLO_GO_OUT(volo_test_request)
VOLO_GO_OUT(volo_test_response)

/* Go has its own of these, or a better way to say them. */
%ignore volo_method_of;
%ignore volo_date_format;
%ignore volo_date_parse;
%ignore volo_media_is;
%ignore volo_media_param;
%ignore volo_accepts;
%ignore volo_mime_of;
%ignore volo_router_url;
%ignore volo_test_header_at;

%include "../volo.i"
