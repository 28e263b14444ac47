// SPDX-License-Identifier: Apache-2.0

package volo

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"syscall"
)

// Code is an error of libvolo: one of the list in volo/error.h.  It compares
// with errors.Is, also to what Go itself calls the same: ErrCanceled is
// [context.Canceled], ErrTimedOut is [os.ErrDeadlineExceeded], and so on.
type Code int

// The list of errors.
const (
	ErrInvalid   Code = -1  // invalid argument
	ErrNoMemory  Code = -2  // out of memory
	ErrExists    Code = -3  // exists already
	ErrNotFound  Code = -4  // not found
	ErrBusy      Code = -5  // in use or already running
	ErrCanceled  Code = -6  // the peer is gone or the exchange was given up
	ErrAnswered  Code = -7  // answered already
	ErrAgain     Code = -8  // no room now, try again later
	ErrTimedOut  Code = -9  // timed out
	ErrTooBig    Code = -10 // content too large
	ErrProtocol  Code = -11 // malformed message
	ErrMedia     Code = -12 // unsupported media type
	ErrFormat    Code = -13 // malformed value
	ErrValue     Code = -14 // unacceptable value
	ErrMissing   Code = -15 // missing value
	ErrHead      Code = -16 // request header fields too large
	ErrURI       Code = -17 // URI too long
	ErrNotImpl   Code = -18 // not implemented
	ErrVersion   Code = -19 // HTTP version not supported
	ErrMethod    Code = -20 // method not allowed
	ErrClosed    Code = -21 // closed
	ErrIO        Code = -22 // input or output failed
	ErrAddrInUse Code = -23 // address in use
	ErrAccess    Code = -24 // permission denied
	ErrNoFiles   Code = -25 // out of file descriptors
	ErrRange     Code = -26 // value out of range
	ErrThread    Code = -27 // called on the wrong thread
	ErrDropped   Code = -28 // the handler let go without an answer
	ErrExpect    Code = -29 // expectation failed
	ErrLoop      Code = -30 // contains itself
	ErrTLS       Code = -31 // TLS failed
)

var codes = [...]struct {
	status int
	text   string
	is     error // what Go calls it
}{
	1:  {500, "invalid argument", fs.ErrInvalid},
	2:  {503, "out of memory", syscall.ENOMEM},
	3:  {500, "exists already", fs.ErrExist},
	4:  {404, "not found", fs.ErrNotExist},
	5:  {500, "in use or already running", nil},
	6:  {499, "the peer is gone or the exchange was given up", context.Canceled},
	7:  {500, "answered already", nil},
	8:  {503, "no room now, try again later", syscall.EAGAIN},
	9:  {408, "timed out", os.ErrDeadlineExceeded},
	10: {413, "content too large", nil},
	11: {400, "malformed message", nil},
	12: {415, "unsupported media type", nil},
	13: {400, "malformed value", nil},
	14: {422, "unacceptable value", nil},
	15: {400, "missing value", nil},
	16: {431, "request header fields too large", nil},
	17: {414, "URI too long", nil},
	18: {501, "not implemented", errors.ErrUnsupported},
	19: {505, "HTTP version not supported", nil},
	20: {405, "method not allowed", nil},
	21: {500, "closed", fs.ErrClosed},
	22: {500, "input or output failed", nil},
	23: {500, "address in use", syscall.EADDRINUSE},
	24: {403, "permission denied", fs.ErrPermission},
	25: {503, "out of file descriptors", syscall.EMFILE},
	26: {422, "value out of range", strconv.ErrRange},
	27: {500, "called on the wrong thread", nil},
	28: {500, "the handler let go without an answer", nil},
	29: {417, "expectation failed", nil},
	30: {500, "contains itself", nil},
	31: {500, "TLS failed", nil},
}

func (c Code) known() bool { return c < 0 && int(-c) < len(codes) }

// Error says what it is in words.
func (c Code) Error() string {
	if !c.known() {
		return "volo: error " + strconv.Itoa(int(c))
	}
	return "volo: " + codes[-c].text
}

// Is says whether target is what Go calls this error.
func (c Code) Is(target error) bool {
	return c.known() && codes[-c].is != nil && codes[-c].is == target
}

// StatusCode is the status that an exchange gets which fails so.
func (c Code) StatusCode() int {
	if !c.known() {
		return 500
	}
	return codes[-c].status
}

// failure makes an error of what a function of libvolo returned: nil if it is
// not negative.
func failure(n int) error {
	if n >= 0 {
		return nil
	}
	return Code(n)
}

// ErrAbort, as an error or a panic of a handler, cuts the exchange off without
// an answer, in a way that the client can tell.  Nothing is logged.
var ErrAbort = errors.New("volo: the handler gave the exchange up")

// ErrServerClosed is what [Server.Serve] returns after [Server.Shutdown] or
// [Server.Close].
var ErrServerClosed = errors.New("volo: server closed")
