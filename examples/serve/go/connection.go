// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net"
	"net/http"
	"strconv"

	"libvolo/go/volo"
)

// Routes that show what is beside requests and answers: the connection, interim
// answers, trailers.

type facts struct {
	Version string  `json:"version"`
	Scheme  string  `json:"scheme"`
	Peer    string  `json:"peer"`
	Cipher  *string `json:"cipher"`
	Name    *string `json:"name"`
	Client  *string `json:"client"`
	Port    int     `json:"port"`
	TLS     int     `json:"tls"`
}

var versions = map[int]string{0: "1.0", 1: "1.1"}

func connection(c *volo.Ctx) error {
	f := facts{Version: "2", Scheme: c.Scheme(), Peer: c.RemoteAddr()}
	if major, minor := c.Proto(); major == 1 {
		f.Version = versions[minor]
	}
	if ip, port, err := net.SplitHostPort(f.Peer); err == nil {
		f.Peer = ip
		f.Port, _ = strconv.Atoi(port)
	}
	if state := c.TLS(); state != nil {
		f.TLS = int(state.Version) - 0x0303 + 12
		f.Cipher, f.Name, f.Client = orNull(state.Cipher), orNull(state.ServerName), orNull(state.ClientSubject)
	}
	return c.JSON(f)
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func hints(c *volo.Ctx) error {
	if err := c.EarlyHints(http.Header{"Link": {"</style.css>; rel=preload"}}); err != nil {
		return err
	}
	return c.String("text/plain", "ok\n")
}

// trailers gives the body back, and the trailer that came behind it.
func trailers(c *volo.Ctx) error {
	body, err := c.Body()
	if err != nil {
		return err
	}
	w := c.Writer()
	if err := w.Flush(); err != nil {
		return err
	}
	if _, err := w.Write(body); err != nil {
		return err
	}
	if sum := c.Trailer("x-sum"); sum != "" {
		return w.Trailer("x-sum", sum)
	}
	return nil
}
