// SPDX-License-Identifier: Apache-2.0

// Package compat has programs that were written for net/http, on frameworks of
// others, answer the same on libvolo.  It is a module of its own, so that
// nobody who uses libvolo needs what it is tested with.
package compat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

// ---- Programs ----------------------------------------------------------------------

type pet struct {
	Name string `json:"name" binding:"required"`
	Legs int    `json:"legs"`
}

func onMux() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello %s by %s", r.PathValue("name"), r.Pattern)
	})
	mux.HandleFunc("POST /pets", func(w http.ResponseWriter, r *http.Request) {
		var p pet
		if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		json.NewEncoder(w).Encode(p)
	})
	mux.HandleFunc("/upload", upload)
	mux.HandleFunc("/ticks", ticks)
	mux.Handle("/tree/", http.RedirectHandler("/elsewhere", http.StatusMovedPermanently))
	return mux
}

func onChi() http.Handler {
	r := chi.NewRouter()
	r.Use(middleware.CleanPath, middleware.Recoverer, middleware.StripSlashes,
		middleware.Compress(5), middleware.Timeout(time.Minute))
	r.Get("/hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello %s from %s by %s", chi.URLParam(r, "name"), r.RemoteAddr,
			chi.RouteContext(r.Context()).RoutePattern())
	})
	r.Route("/pets", func(r chi.Router) {
		r.Use(middleware.AllowContentType("application/json"), middleware.NoCache)
		r.Post("/", func(w http.ResponseWriter, r *http.Request) {
			io.Copy(w, r.Body)
		})
	})
	r.Get("/panic", func(http.ResponseWriter, *http.Request) { panic("of a handler") })
	r.Get("/large", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, strings.Repeat("large ", 20000))
	})
	r.HandleFunc("/upload", upload)
	r.HandleFunc("/ticks", ticks)
	return r
}

func onGin() http.Handler {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.Use(gin.CustomRecoveryWithWriter(io.Discard, func(c *gin.Context, _ any) {
		c.AbortWithStatus(http.StatusInternalServerError)
	}))
	r.GET("/hello/:name", func(c *gin.Context) {
		c.JSON(http.StatusOK, gin.H{"hello": c.Param("name"), "q": c.QueryArray("q")})
	})
	r.POST("/pets", func(c *gin.Context) {
		var p pet
		if err := c.ShouldBindJSON(&p); err != nil {
			c.AbortWithStatusJSON(http.StatusBadRequest, gin.H{"error": err.Error()})
			return
		}
		c.Header("Location", "/pets/1")
		c.IndentedJSON(http.StatusCreated, p)
	})
	r.GET("/panic", func(*gin.Context) { panic("of a handler") })
	r.GET("/stream", func(c *gin.Context) {
		n := 0
		c.Stream(func(w io.Writer) bool {
			fmt.Fprintln(w, n)
			n++
			return n < 5
		})
	})
	r.GET("/redirect", func(c *gin.Context) { c.Redirect(http.StatusFound, "/hello/you") })
	r.Any("/upload", gin.WrapF(upload))
	r.Any("/ticks", gin.WrapF(ticks))
	return r
}

func upload(w http.ResponseWriter, r *http.Request) {
	file, header, err := r.FormFile("file")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	defer file.Close()
	n, err := io.Copy(io.Discard, file)
	fmt.Fprintln(w, header.Filename, n, err, r.FormValue("note"))
}

func ticks(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for i := range 5 {
		fmt.Fprintf(w, "data: %d\n\n", i)
		w.(http.Flusher).Flush()
	}
}

// ---- What they are asked --------------------------------------------------------------

type question struct {
	method, target, kind, body string
	header                     http.Header
}

func questions() []question {
	var form bytes.Buffer
	parts := multipart.NewWriter(&form)
	parts.SetBoundary("the-boundary")
	parts.WriteField("note", "a note")
	file, _ := parts.CreateFormFile("file", "name.bin")
	file.Write(bytes.Repeat([]byte("0123456789"), 20000))
	parts.Close()
	return []question{
		{target: "/hello/world?q=1&q=2"},
		{target: "/hello/w%C3%A9%2Fb"},
		{target: "/hello/world/"},
		{target: "/hello", method: "DELETE"},
		{target: "/hello/world", method: "DELETE"},
		{target: "/hello/world", method: "HEAD"},
		{target: "/hello/world", header: http.Header{"X-Real-Ip": {"192.0.2.1"}}},
		{target: "/nothing"},
		{target: "/tree/a"},
		{target: "//hello//world"},
		{target: "/pets", method: "POST", kind: "application/json", body: `{"name":"Rex","legs":4}`},
		{target: "/pets", method: "POST", kind: "application/json", body: `{"legs":4}`},
		{target: "/pets", method: "POST", kind: "application/json", body: `{"legs":`},
		{target: "/pets", method: "POST", kind: "text/plain", body: `{}`},
		{target: "/upload", method: "POST", kind: "multipart/form-data; boundary=the-boundary", body: form.String()},
		{target: "/upload", method: "POST", kind: "text/plain", body: "no form"},
		{target: "/ticks"},
		{target: "/stream"},
		{target: "/panic"},
		{target: "/large", header: http.Header{"Accept-Encoding": {"gzip"}}},
		{target: "/redirect"},
	}
}

type answer struct {
	Status int
	Header http.Header
	Body   string
	Err    error
}

func ask(t *testing.T, base string, q question) answer {
	t.Helper()
	method := q.method
	if method == "" {
		method = "GET"
	}
	req, err := http.NewRequest(method, base+q.target, strings.NewReader(q.body))
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(req.Header, q.header)
	if q.kind != "" {
		req.Header.Set("Content-Type", q.kind)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       time.Minute}
	resp, err := client.Do(req)
	if err != nil {
		return answer{Err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	// Each server has its own buffer below which it tells the length.
	resp.Header.Del("Date")
	resp.Header.Del("Content-Length")
	resp.Header.Del("Connection")
	text := string(body)
	// The port of this client, and of this server, are their own.
	text = replacePorts(text)
	return answer{resp.StatusCode, resp.Header, text, err}
}

func replacePorts(text string) string {
	before, after, ok := strings.Cut(text, "127.0.0.1:")
	if !ok {
		return text
	}
	return before + "127.0.0.1:n" + strings.TrimLeft(after, "0123456789")
}

func TestFrameworksAnswerAsOnNetHTTP(t *testing.T) {
	for name, program := range map[string]http.Handler{
		"mux": onMux(), "chi": onChi(), "gin": onGin(),
	} {
		theirs := httptest.NewServer(program)
		defer theirs.Close()
		ours := serve(t, program)
		for _, q := range questions() {
			t.Run(name+" "+q.method+" "+q.target, func(t *testing.T) {
				want, got := ask(t, theirs.URL, q), ask(t, ours, q)
				if !reflect.DeepEqual(got, want) {
					t.Errorf("\n got %+v\nwant %+v", got, want)
				}
			})
		}
	}
}
