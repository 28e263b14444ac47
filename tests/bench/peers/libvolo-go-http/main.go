// SPDX-License-Identifier: Apache-2.0

// The routes of the benchmark on the standard mux, as one writes them for
// net/http, through volo.HTTP.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"runtime"
	"strconv"

	"libvolo/go/volo"
)

type message struct {
	Message string `json:"message"`
}

func env(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

func plaintext(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	io.WriteString(w, "Hello, World!")
}

func hello(w http.ResponseWriter, _ *http.Request) {
	body, err := json.Marshal(message{"Hello, World!"})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(body)
}

func post(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	fmt.Fprintf(w, "%s %s", r.PathValue("id"), r.PathValue("post"))
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Write(body)
}

func query(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	a, _ := strconv.Atoi(q.Get("a"))
	b, _ := strconv.Atoi(q.Get("b"))
	w.Header().Set("Content-Type", "text/plain")
	fmt.Fprint(w, a+b)
}

func noop(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r)
	})
}

func main() {
	threads := env("THREADS", 1)
	runtime.GOMAXPROCS(threads)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /plaintext", plaintext)
	mux.HandleFunc("GET /json", hello)
	mux.HandleFunc("GET /users/{id}/posts/{post}", post)
	mux.HandleFunc("POST /echo", echo)
	mux.HandleFunc("GET /query", query)
	mux.Handle("GET /layers", noop(noop(noop(noop(noop(http.HandlerFunc(plaintext)))))))
	s := &volo.Server{
		Addr:    "127.0.0.1:" + strconv.Itoa(env("PORT", 8080)),
		Handler: volo.HTTP(mux), Workers: threads,
	}
	log.Fatal(s.ListenAndServe())
}
