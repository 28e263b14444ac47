// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"os"
	"runtime"
	"strings"
	"time"

	"libvolo/go/volo/internal/cvolo"
)

// NativeLayer is a stock layer of libvolo: it runs on the loop's thread.  Add it
// with [Router.UseNative] or [WithNative]; it is cheapest outside of all
// middleware of Go.
type NativeLayer struct {
	name string
	held *heldLayer
	err  error
}

type heldLayer struct{ c cvolo.Volo_layer }

// made gives the layer of C, or panics with what was wrong with it.
func (l NativeLayer) made(where string) cvolo.Volo_layer {
	if l.err != nil {
		panic("volo: " + where + ": " + l.name + ": " + strings.TrimPrefix(l.err.Error(), "volo: "))
	}
	if l.held == nil {
		panic("volo: " + where + ": not a layer")
	}
	return l.held.c
}

// layer wraps what a constructor has made.
func layer(name string, c uintptr, err int) NativeLayer {
	if err < 0 {
		return NativeLayer{name: name, err: Code(err)}
	}
	held := &heldLayer{cvolo.SwigcptrVolo_layer(c)}
	runtime.AddCleanup(held, func(c cvolo.Volo_layer) { cvolo.DeleteVolo_layer(c) }, held.c)
	return NativeLayer{name: name, held: held}
}

func milliseconds(d time.Duration) uint64 {
	if d <= 0 {
		return 0
	}
	return uint64((d + time.Millisecond - 1) / time.Millisecond)
}

// Timeout gives up after d without an answer: the client gets status (0: 504),
// and the handler's context is done.
func Timeout(d time.Duration, status int) NativeLayer {
	var c uintptr
	err := cvolo.Volo_layer_timeout(&c, milliseconds(d), status)
	return layer("Timeout", c, err)
}

// BodyLimit accepts at most n octets of body, more or less than the server;
// larger ones get 413.
func BodyLimit(n uint64) NativeLayer {
	var c uintptr
	err := cvolo.Volo_layer_body_limit(&c, n)
	return layer("BodyLimit", c, err)
}

// Concurrency lets at most limit exchanges in at once; up to queue more wait,
// the rest get 503.
func Concurrency(limit, queue uint) NativeLayer {
	var c uintptr
	err := cvolo.Volo_layer_concurrency(&c, limit, queue)
	return layer("Concurrency", c, err)
}

// RequestID gives each exchange an id, see [Ctx.RequestID]: that of the
// request's field header (empty: X-Request-Id) if trust is set, else a new one.
// The response has it in the same field.
func RequestID(header string, trust bool) NativeLayer {
	var c uintptr
	err := cvolo.Volo_layer_request_id(&c, text(header), flag(trust))
	return layer("RequestID", c, err)
}

// How lines of an access log look.
const (
	LogCommon   = 0 // NCSA common log format
	LogCombined = 1 // with Referer and User-Agent
	LogJSON     = 2 // one JSON object a line
)

// AccessLog writes a line to file for each exchange when it is over.  A line
// that a pipe has no room for is dropped.  The file must stay open.
func AccessLog(format int, file *os.File) NativeLayer {
	var c uintptr
	err := cvolo.Volo_layer_access_log_fd(&c, format, int(file.Fd()))
	l := layer("AccessLog", c, err)
	if l.held != nil {
		runtime.AddCleanup(l.held, func(*os.File) {}, file) // it lives as long
	}
	return l
}

// CORSOptions says what [CORS] allows.
type CORSOptions struct {
	// Origins such as "https://example.com", "https://*.example.com" or "*".
	Origins []string
	// Methods that are allowed; GET, HEAD and POST if empty; "*" for what is
	// asked for.
	Methods []string
	// Headers of requests that are allowed; "*" for what is asked for.
	Headers []string
	// Expose lists fields of responses that scripts may read.
	Expose []string
	// Credentials allows cookies; not together with the origin "*".
	Credentials bool
	// MaxAge is how long a browser may keep what a preflight said.
	MaxAge time.Duration
}

// CORS speaks the CORS protocol of the Fetch standard.
func CORS(o CORSOptions) NativeLayer {
	var p, c uintptr
	if err := cvolo.Volo_cors_new(&p); err < 0 {
		return layer("CORS", 0, err)
	}
	cors := cvolo.SwigcptrVolo_cors(p)
	defer cvolo.DeleteVolo_cors(cors)
	err := 0
	do := func(n int) {
		if err == 0 {
			err = n
		}
	}
	for _, origin := range o.Origins {
		do(cvolo.Volo_cors_origin(cors, text(origin)))
	}
	lists := []struct {
		set  func(cvolo.Volo_cors, string) int
		list []string
	}{
		{cvolo.Volo_cors_methods, o.Methods},
		{cvolo.Volo_cors_headers, o.Headers},
		{cvolo.Volo_cors_expose, o.Expose},
	}
	for _, l := range lists {
		if len(l.list) > 0 {
			do(l.set(cors, text(strings.Join(l.list, ", "))))
		}
	}
	do(cvolo.Volo_cors_credentials(cors, flag(o.Credentials)))
	if o.MaxAge > 0 {
		do(cvolo.Volo_cors_max_age(cors, uint(o.MaxAge/time.Second)))
	}
	do(cvolo.Volo_layer_cors(&c, cors))
	return layer("CORS", c, err)
}

// SecureHeaders sets the usual fields of caution where the response does not:
// X-Content-Type-Options, X-Frame-Options, Referrer-Policy,
// Cross-Origin-Opener-Policy; over https Strict-Transport-Security for hsts if
// that is not 0; Content-Security-Policy if csp is not empty.
func SecureHeaders(hsts time.Duration, csp string) NativeLayer {
	var c uintptr
	err := cvolo.Volo_layer_secure_headers(&c, uint64(max(hsts, 0)/time.Second), text(csp))
	return layer("SecureHeaders", c, err)
}

// HSTS tells browsers that come over https to do so for maxAge to come (0: not
// any more), with all subdomains of the host; preload asks for a place in the
// lists that browsers ship, who want subdomains and a year at least.
func HSTS(maxAge time.Duration, subdomains, preload bool) NativeLayer {
	var c uintptr
	flags := flag(subdomains)*int(cvolo.VOLO_HSTS_SUBDOMAINS) | flag(preload)*int(cvolo.VOLO_HSTS_PRELOAD)
	err := cvolo.Volo_layer_hsts(&c, uint64(max(maxAge, 0)/time.Second), uint(flags))
	return layer("HSTS", c, err)
}

// HTTPSRedirect sends who comes over plain http to the same place over https,
// on port (0: the usual one), by a 308; except below the paths in exempt, such
// as "/.well-known/acme-challenge/". Not for a server behind a proxy that ends
// TLS: there, all comes over plain http.
func HTTPSRedirect(port int, exempt ...string) NativeLayer {
	var c uintptr
	err := cvolo.Volo_layer_https_redirect(&c, port, text(strings.Join(exempt, ", ")))
	return layer("HTTPSRedirect", c, err)
}

// ClientIP finds the client's address behind proxies, for [Ctx.ClientIP]: from
// the field header (empty: X-Forwarded-For; "forwarded": RFC 7239), the
// rightmost address that is not in trusted, networks such as "127.0.0.1/32,
// 10.0.0.0/8, ::1, unix".
func ClientIP(trusted, header string) NativeLayer {
	var c uintptr
	err := cvolo.Volo_layer_client_ip(&c, text(trusted), text(header))
	return layer("ClientIP", c, err)
}

// ETag gives 200 answers to GET and HEAD that are in memory an ETag, and
// answers 304 or 412 by If-None-Match and If-Match.
func ETag(weak bool) NativeLayer {
	var c uintptr
	err := cvolo.Volo_layer_etag(&c, flag(weak))
	return layer("ETag", c, err)
}
