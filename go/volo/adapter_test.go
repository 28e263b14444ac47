// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

// result is what a client sees of an answer.
type result struct {
	Status  int
	Length  int64
	Coding  []string
	Header  http.Header
	Trailer http.Header
	Body    string
	Failed  bool
}

// ask sends one request and reads the answer to its end.
func ask(t *testing.T, transport *http.Transport, req *http.Request) result {
	t.Helper()
	defer transport.CloseIdleConnections()
	client := &http.Client{
		Transport:     transport,
		Timeout:       time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return result{Failed: true}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	header := maps.Clone(resp.Header)
	delete(header, "Date")
	return result{resp.StatusCode, resp.ContentLength, resp.TransferEncoding, header,
		resp.Trailer, string(body), err != nil}
}

// An exchangeCase is one handler and one request, the same for both servers.
type exchangeCase struct {
	name    string
	handler http.HandlerFunc
	method  string // GET if empty
	target  string // "/" if empty
	header  http.Header
	body    string
	chunked bool
	trailer http.Header
	// unframed: the two frame the content differently, and may
	unframed bool
	// one: in HTTP/2, net/http sends what it should not, or less than it could
	one bool
}

func (c *exchangeCase) request(t *testing.T, base string) *http.Request {
	t.Helper()
	method, target := c.method, c.target
	if method == "" {
		method = "GET"
	}
	if target == "" {
		target = "/"
	}
	var body io.Reader
	if c.body != "" {
		body = strings.NewReader(c.body)
	}
	if c.chunked {
		body = io.MultiReader(body)
	}
	req, err := http.NewRequest(method, base+target, body)
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(req.Header, c.header)
	req.Trailer = c.trailer
	return req
}

func says(s string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, s) }
}

// dump answers with all that a handler can see of a request.
func dump(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	header := maps.Clone(r.Header)
	delete(header, "Host")
	fmt.Fprintf(w, "%s %s %s %d.%d host=%q\n", r.Method, r.RequestURI, r.Proto,
		r.ProtoMajor, r.ProtoMinor, strings.Split(r.Host, ":")[0])
	fmt.Fprintf(w, "%#v\n", *r.URL)
	fmt.Fprintf(w, "length=%d coding=%q close=%v trailer=%v\n", r.ContentLength,
		r.TransferEncoding, r.Close, r.Trailer)
	fmt.Fprintf(w, "%v\n%q %v\n", header, body, err)
}

var sameCases = []exchangeCase{
	{name: "a text", handler: says("Hello, World!")},
	{name: "nothing at all", handler: func(http.ResponseWriter, *http.Request) {}},
	{name: "HTML is told by its look", handler: says("<!DOCTYPE html><p>hi")},
	{name: "octets are told by their look", handler: says("\x00\x01\x02")},
	{name: "an image is told by its look", handler: says("\x89PNG\x0D\x0A\x1A\x0A")},
	{name: "a type that is set stays", handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/x-own")
		io.WriteString(w, "<html>")
	}},
	{name: "a type of nil is none", handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		io.WriteString(w, "<html>")
	}},
	{name: "what is coded has no type of its own", handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "x-own")
		io.WriteString(w, "<html>")
	}},
	{name: "a status", handler: func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		io.WriteString(w, "short")
	}},
	{name: "a status of no name", handler: func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(777)
	}},
	{name: "the first status counts", handler: func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(201)
		w.WriteHeader(500)
		io.WriteString(w, "made")
	}},
	{name: "a status after content is late", handler: func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "fine")
		w.WriteHeader(500)
	}},
	{name: "fields after the status are late", handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Early", "1")
		w.WriteHeader(200)
		w.Header().Set("X-Late", "1")
		w.Header().Set("X-Early", "2")
		io.WriteString(w, "content")
	}},
	{name: "204 has no content", one: true, handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5")
		w.Header().Set("X-Own", "1")
		w.WriteHeader(204)
		if _, err := io.WriteString(w, "hello"); err != http.ErrBodyNotAllowed {
			panic(err)
		}
	}},
	{name: "304 has no content and no type", one: true, handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Etag", `"1"`)
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(304)
	}},
	{name: "a line end in a field is harmless", one: true, handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Own", "a\r\nX-Evil: b")
		w.Header().Set("X-Space", "  c  ")
	}},
	{name: "several fields of a name", handler: func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
		http.SetCookie(w, &http.Cookie{Name: "b", Value: "2", HttpOnly: true})
		w.Header().Add("Vary", "A")
		w.Header().Add("Vary", "B")
	}},
	{name: "a date of its own", handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", "Fri, 02 Jan 2026 03:04:05 GMT")
	}},
	{name: "HEAD has the length of GET", method: "HEAD", handler: says("Hello, World!")},
	{name: "HEAD with a length that was set", method: "HEAD", handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "12345")
	}},
	{name: "HEAD without content", method: "HEAD", unframed: true,
		handler: func(http.ResponseWriter, *http.Request) {}},
	{name: "HEAD of a stream", method: "HEAD", unframed: true, handler: func(w http.ResponseWriter, _ *http.Request) {
		for range 100 {
			io.WriteString(w, strings.Repeat("x", 1000))
		}
	}},
	{name: "a length that was set", handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5")
		io.WriteString(w, "hello")
	}},
	{name: "a large content of known length", handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "300000")
		w.Write(bytes.Repeat([]byte("abc"), 100000))
	}},
	{name: "a large content in parts of known length", handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "300000")
		for range 100 {
			w.Write(bytes.Repeat([]byte("abc"), 1000))
		}
	}},
	{name: "more than the length", one: true, handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5")
		io.WriteString(w, "hel")
		if _, err := io.WriteString(w, "lo, world"); err != http.ErrContentLength {
			panic(err)
		}
		io.WriteString(w, "lo")
	}},
	{name: "less than the length is cut off", handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5")
		io.WriteString(w, "hel")
	}},
	{name: "a length that is none", unframed: true, handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "many")
		io.WriteString(w, "hello")
	}},
	{name: "a content beyond the buffer", unframed: true, handler: func(w http.ResponseWriter, _ *http.Request) {
		for i := range 10000 {
			fmt.Fprintf(w, "%d\n", i)
		}
	}},
	{name: "a stream", handler: func(w http.ResponseWriter, _ *http.Request) {
		for i := range 10 {
			fmt.Fprintf(w, "%d\n", i)
			w.(http.Flusher).Flush()
		}
	}},
	{name: "a flush before anything", handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Own", "1")
		if err := http.NewResponseController(w).Flush(); err != nil {
			panic(err)
		}
		w.Header().Set("X-Own", "2")
		io.WriteString(w, "after")
	}},
	{name: "trailers that were announced", handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-Sum, X-Absent")
		w.Header().Add("Trailer", "X-Other")
		io.WriteString(w, "content")
		w.Header().Set("X-Sum", "42")
		w.Header().Set("X-Other", "a")
		w.Header().Set("X-Not-Announced", "b")
	}},
	{name: "trailers that were not announced", handler: func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "content")
		w.(http.Flusher).Flush()
		w.Header().Set(http.TrailerPrefix+"X-Sum", "42")
	}},
	{name: "ReadFrom", unframed: true, handler: func(w http.ResponseWriter, _ *http.Request) {
		n, err := io.Copy(w, strings.NewReader(strings.Repeat("<p>", 50000)))
		if n != 150000 || err != nil {
			panic(err)
		}
	}},
	{name: "an error", handler: func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no such thing", http.StatusNotFound)
	}},
	{name: "a redirection", target: "/a/b", handler: func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "../c?d=é", http.StatusFound)
	}},
	{name: "a range", header: http.Header{"Range": {"bytes=3-7"}}, handler: func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "name.txt", time.Unix(1000000000, 0), strings.NewReader("0123456789"))
	}},
	{name: "a range of HEAD", method: "HEAD", header: http.Header{"Range": {"bytes=3-7"}}, handler: func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "name.txt", time.Unix(1000000000, 0), strings.NewReader("0123456789"))
	}},
	{name: "what has not changed", header: http.Header{"If-Modified-Since": {"Sun, 09 Sep 2001 01:46:40 GMT"}}, handler: func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "name.txt", time.Unix(1000000000, 0), strings.NewReader("0123456789"))
	}},
	{name: "a request", handler: dump, header: http.Header{
		"X-Own": {"1", "2"}, "accept": {"text/plain"}, "Cookie": {"a=b"}, "Pragma": {"no-cache"}}},
	{name: "a request with a query", handler: dump, target: "/a/b?c=d&c=%65&f"},
	{name: "a request with an empty query", handler: dump, target: "/a?"},
	{name: "a request with an encoded path", handler: dump, target: "/a%2Fb/%C3%A9/c%20d;e=f"},
	{name: "a request with an odd path", handler: dump, target: "//a//b/'(x)!*,&$@:=+~"},
	{name: "a request with content", handler: dump, method: "POST", body: "hello"},
	{name: "a request with content in chunks", handler: dump, method: "PUT", body: "hello", chunked: true},
	{name: "a request with trailers", handler: dump, method: "PUT", body: "hello", chunked: true,
		trailer: http.Header{"X-Sum": {"5"}, "X-B": {"c"}}},
	{name: "a request with an odd method", handler: dump, method: "PURGE"},
	{name: "a large request", handler: dump, method: "POST", unframed: true, body: strings.Repeat("0123456789", 30000)},
	{name: "a form", method: "POST", body: "a=1&b=%C3%A9+c",
		header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		handler: func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintln(w, r.FormValue("a"), r.PostFormValue("b"), r.Form)
		}},
	{name: "a limit of the handler's", method: "POST", body: strings.Repeat("x", 5000),
		handler: func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, http.MaxBytesReader(nil, r.Body, 1000))
			fmt.Fprintln(w, n, err)
		}},
	{name: "a body that is not read", method: "POST", body: strings.Repeat("x", 100000), handler: says("unread")},
	{name: "a body that is read after the answer has begun", method: "POST", body: "hello",
		handler: func(w http.ResponseWriter, r *http.Request) {
			http.NewResponseController(w).EnableFullDuplex()
			io.WriteString(w, "got ")
			w.(http.Flusher).Flush()
			io.Copy(w, r.Body)
		}},
	{name: "an expectation", method: "POST", body: strings.Repeat("x", 3000),
		header: http.Header{"Expect": {"100-continue"}}, handler: func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			fmt.Fprintln(w, n, err)
		}},
	{name: "a middleware of net/http", handler: http.StripPrefix("/a", http.HandlerFunc(dump)).ServeHTTP,
		target: "/a/b/c"},
	{name: "a timeout handler", handler: http.TimeoutHandler(says("in time"), time.Minute, "late").ServeHTTP},
	{name: "a reverse proxy", handler: func(w http.ResponseWriter, r *http.Request) {
		backend := httptest.NewServer(says("behind"))
		defer backend.Close()
		proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host = "http", strings.TrimPrefix(backend.URL, "http://")
		}}
		proxy.ServeHTTP(w, r)
	}},
}

// TestRawRequestsAreReadAsOnNetHTTP is for what Go's client does not send.
func TestRawRequestsAreReadAsOnNetHTTP(t *testing.T) {
	theirs := httptest.NewServer(http.HandlerFunc(dump))
	defer theirs.Close()
	ours := serveHTTP(t, http.HandlerFunc(dump))
	for _, request := range []string{
		"GET /a HTTP/1.0\r\n\r\n",
		"GET /a HTTP/1.0\r\nConnection: Keep-Alive\r\nConnection: x\r\n\r\n",
		"GET http://example.com:80/a?b HTTP/1.1\r\nHost: example.com:80\r\nConnection: close\r\n\r\n",
		"GET /a HTTP/1.1\r\nhost: b\r\nCONNECTION: Close\r\nx-own:  v \r\nX-OWN: w\r\n\r\n",
		"POST /a HTTP/1.1\r\nHost: b\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
		"POST /a HTTP/1.1\r\nHost: b\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n" +
			"Trailer: x-sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
	} {
		want, got := contentOf(t, theirs.URL, request), contentOf(t, ours, request)
		if got != want {
			t.Errorf("%q\n got %s\nwant %s", request, got, want)
		}
	}
}

// contentOf sends octets, and gives the content of the answer.
func contentOf(t *testing.T, base, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	io.WriteString(conn, request)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// ways are those in which the same exchange can be carried.
var ways = []struct {
	name        string
	two, secure bool
}{
	{"http1", false, false}, {"http2", true, false},
	{"http1 over TLS", false, true}, {"http2 over TLS", true, true},
}

// protocols allows the one that is meant.
func protocols(two, secure bool) *http.Protocols {
	p := &http.Protocols{}
	p.SetHTTP1(!two)
	p.SetHTTP2(two && secure)
	p.SetUnencryptedHTTP2(two && !secure)
	return p
}

func TestHandlersAnswerAsOnNetHTTP(t *testing.T) {
	for _, way := range ways {
		for i := range sameCases {
			one := &sameCases[i]
			if one.one && way.two {
				continue
			}
			t.Run(way.name+"/"+one.name, func(t *testing.T) {
				same(t, one, way.two, way.secure)
			})
		}
	}
}

func same(t *testing.T, one *exchangeCase, two, secure bool) {
	theirs := httptest.NewUnstartedServer(one.handler)
	theirs.Config.Protocols = protocols(two, secure)
	theirs.EnableHTTP2 = two
	if secure {
		theirs.StartTLS()
	} else {
		theirs.Start()
	}
	defer theirs.Close()
	want := ask(t, clientOf(two, secure), one.request(t, theirs.URL))
	got := ask(t, clientOf(two, secure), one.request(t, serveAs(t, one.handler, secure)))
	if one.unframed || two && len(want.Trailer) > 0 {
		for _, r := range []*result{&want, &got} {
			r.Length, r.Coding = 0, nil
			delete(r.Header, "Content-Length")
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %v\nwant %v", got, want)
	}
}

// clientOf speaks one protocol, and believes everybody.
func clientOf(two, secure bool) *http.Transport {
	return &http.Transport{DisableCompression: true, Protocols: protocols(two, secure),
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
}

// String is short where the content is not.
func (r result) String() string {
	body := r.Body
	if len(body) > 1000 {
		body = fmt.Sprintf("%s... (%d, sum %x)", body[:20], len(body), crc32.ChecksumIEEE([]byte(body)))
	}
	return fmt.Sprintf("%d length=%d coding=%v header=%v trailer=%v failed=%v %q",
		r.Status, r.Length, r.Coding, r.Header, r.Trailer, r.Failed, body)
}

// serveHTTP serves h on a port of its own until the test ends, and gives the
// address.
func serveHTTP(t *testing.T, h http.Handler) string {
	t.Helper()
	return serveAs(t, h, false)
}

func serveAs(t *testing.T, h http.Handler, secure bool) string {
	t.Helper()
	server := &Server{Handler: HTTP(h), Workers: 1}
	listen, scheme := server.Listen, "http"
	if secure {
		scheme = "https"
		listen = func(addr string) error { return server.ListenTLS(addr, testTLS(t)) }
	}
	if err := listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- server.Serve() }()
	t.Cleanup(func() {
		server.Close()
		if err := <-ended; err != ErrServerClosed {
			t.Error(err)
		}
	})
	return fmt.Sprintf("%s://127.0.0.1:%d", scheme, server.Port(0))
}

// testTLS is what httptest shows.
var testTLS = func() func(t *testing.T) *TLSConfig {
	made := sync.OnceValues(func() (*TLSConfig, error) {
		theirs := httptest.NewTLSServer(nil)
		defer theirs.Close()
		own := theirs.TLS.Certificates[0]
		key, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
		return &TLSConfig{Certificates: []Certificate{{
			CertPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own.Certificate[0]}),
			KeyPEM:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
		}}}, err
	})
	return func(t *testing.T) *TLSConfig {
		config, err := made()
		if err != nil {
			t.Fatal(err)
		}
		return config
	}
}()
