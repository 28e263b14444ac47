// SPDX-License-Identifier: Apache-2.0

package cvolo

/*
#include "go.h"

#cgo noescape volo_cx_tls_version
#cgo nocallback volo_cx_tls_version
#cgo noescape volo_cx_tls_cipher
#cgo nocallback volo_cx_tls_cipher
#cgo noescape volo_cx_tls_server_name
#cgo nocallback volo_cx_tls_server_name
#cgo noescape volo_cx_tls_client_subject
#cgo nocallback volo_cx_tls_client_subject
*/
import "C"

import "unsafe"

// TLSVersion is 12 or 13; 0 without TLS.
func TLSVersion(p unsafe.Pointer) int { return int(C.volo_cx_tls_version(cx(p))) }

// TLSCipher is the cipher, in OpenSSL's words.
func TLSCipher(p unsafe.Pointer) Str { return str(C.volo_cx_tls_cipher(cx(p))) }

// TLSServerName is what the client asked for in the handshake.
func TLSServerName(p unsafe.Pointer) Str { return str(C.volo_cx_tls_server_name(cx(p))) }

// TLSClientSubject is the subject of the client's certificate.
func TLSClientSubject(p unsafe.Pointer) Str { return str(C.volo_cx_tls_client_subject(cx(p))) }
