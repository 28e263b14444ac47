-- SPDX-License-Identifier: Apache-2.0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"id":7,"name":"a chair","tags":["wood","used"],"price":12.5}'
