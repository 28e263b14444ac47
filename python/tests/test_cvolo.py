# SPDX-License-Identifier: Apache-2.0
"""SWIG's half: out parameters are results, errors are exceptions, handles own
what they hold."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading

import pytest

from volo import VoloError, cvolo


@pytest.fixture
def router() -> cvolo.volo_router:
    return cvolo.volo_router_new()


def client_of(router: cvolo.volo_router) -> cvolo.volo_test:
    return cvolo.volo_test_new(cvolo.volo_router_service(router))


def test_constants_and_version_are_those_of_the_headers() -> None:
    major, minor, patch = map(int, cvolo.volo_version_text().split("."))
    assert cvolo.volo_version() == major << 16 | minor << 8 | patch
    assert cvolo.volo_version() == cvolo.VOLO_VERSION
    assert (cvolo.VOLO_GET, cvolo.VOLO_EINVAL) == (1, -1)


def test_a_call_without_a_result_gives_none(router: cvolo.volo_router) -> None:
    assert cvolo.volo_router_set_slash(router, cvolo.VOLO_SLASH_IGNORE) is None


def test_a_result_that_is_written_out_is_what_a_call_gives() -> None:
    assert cvolo.volo_date_parse("Thu, 01 Jan 1970 00:00:10 GMT") == 10
    assert cvolo.volo_media_param('a/b; charset="utf-8"', "charset") == "utf-8"
    assert cvolo.volo_date_format(0) == "Thu, 01 Jan 1970 00:00:00 GMT"


def test_an_error_is_an_exception_with_the_handles_words(
    router: cvolo.volo_router,
) -> None:
    with pytest.raises(VoloError, match="brace that is not closed"):
        cvolo.volo_router_nest(router, "/x{", cvolo.volo_router_new())


def test_an_error_without_words_has_those_of_its_code() -> None:
    with pytest.raises(VoloError, match="malformed value"):
        cvolo.volo_date_parse("yesterday")


@pytest.mark.parametrize("wrong", [None, 7, "router"])
def test_what_is_no_handle_is_refused(wrong: object) -> None:
    with pytest.raises(TypeError, match="expected volo_router"):
        cvolo.volo_router_error(wrong)


def test_a_handle_of_another_kind_is_refused(router: cvolo.volo_router) -> None:
    with pytest.raises(TypeError, match="argument 3: expected volo_router"):
        cvolo.volo_router_nest(router, "/x", cvolo.volo_queue_new(0))


def test_a_string_with_a_null_character_inside_is_refused() -> None:
    with pytest.raises(ValueError, match="null"):
        cvolo.volo_cors_origin(cvolo.volo_cors_new(), "https://a\0b")
    with pytest.raises(ValueError, match="null"):
        cvolo.volo_cors_origin(cvolo.volo_cors_new(), b"https://a\0b")


def test_strings_are_str_or_bytes_or_none() -> None:
    assert cvolo.volo_accepts(None, "a/b") == 1000
    assert cvolo.volo_accepts(b"text/*;q=0.5", b"text/plain") == 500
    with pytest.raises(TypeError, match="expected str, bytes or None"):
        cvolo.volo_accepts(5, "a/b")


def test_no_handle_can_be_made_out_of_nothing() -> None:
    with pytest.raises(AttributeError, match="No constructor"):
        cvolo.volo_router()


def test_numbers_that_do_not_fit_are_refused(router: cvolo.volo_router) -> None:
    server = cvolo.volo_server_new(cvolo.volo_router_service(router))
    with pytest.raises(OverflowError):
        cvolo.volo_server_set(server, cvolo.VOLO_SERVER_WORKERS, -1)
    cvolo.volo_server_set(server, cvolo.VOLO_SERVER_BODY_LIMIT, 2**64 - 1)
    assert cvolo.volo_server_get(server, cvolo.VOLO_SERVER_BODY_LIMIT) == 2**64 - 1


def test_an_answer_is_read_as_what_it_is(router: cvolo.volo_router) -> None:
    answer = cvolo.volo_test_get(client_of(router), "/nowhere")
    assert cvolo.volo_test_status(answer) == 404
    assert cvolo.volo_test_body(answer) == b"Not Found\n"
    assert cvolo.volo_test_header(answer, "content-length") == "10"
    assert cvolo.volo_test_header(answer, "x-none") is None
    lines = [
        cvolo.volo_test_header_at(answer, i)
        for i in range(cvolo.volo_test_header_count(answer))
    ]
    assert ("content-length", "10") in lines


def test_a_request_can_be_sent_once(router: cvolo.volo_router) -> None:
    client = client_of(router)
    request = cvolo.volo_test_request_new(client, "GET", "/")
    cvolo.volo_test_send(client, request)
    with pytest.raises(TypeError, match="expected volo_test_request"):
        cvolo.volo_test_send(client, request)
    with pytest.raises(TypeError, match="expected volo_test_request"):
        cvolo.volo_test_request_header(request, "a", "b")


def test_what_is_borrowed_keeps_its_owner(router: cvolo.volo_router) -> None:
    inner = cvolo.volo_router_service(cvolo.volo_router_new())
    route = cvolo.volo_router_route(router, "GET", "/a/{b}", inner)
    answer = cvolo.volo_test_get(client_of(router), "/")  # the client goes
    assert route.owner is router
    del router, inner
    gc.collect()
    assert cvolo.volo_test_status(answer) == 404
    with pytest.raises(VoloError, match="in use"):  # frozen
        cvolo.volo_route_layer(route, cvolo.volo_layer_timeout(5, 0))


def test_a_group_has_a_reference_of_its_own() -> None:
    router = cvolo.volo_router_new()
    group = cvolo.volo_router_group(router, "/api")
    service = cvolo.volo_router_service(router)
    del router
    gc.collect()
    cvolo.volo_router_set_slash(group, cvolo.VOLO_SLASH_STRICT)
    del service
    gc.collect()
    assert cvolo.volo_router_error(group) == ""


def test_urls_are_built_from_names_and_values_in_turn(
    router: cvolo.volo_router,
) -> None:
    inner = cvolo.volo_router_service(cvolo.volo_router_new())
    route = cvolo.volo_router_route(router, None, "/a/{b}/c", inner)
    cvolo.volo_route_name(route, "abc")
    assert cvolo.volo_router_url(router, "abc", ["b", "x y"]) == "/a/x%20y/c"
    with pytest.raises(VoloError, match="missing"):
        cvolo.volo_router_url(router, "abc", ())
    for wrong in ("b", {"b": "c"}, ["b", 5], 5):
        with pytest.raises(TypeError):
            cvolo.volo_router_url(router, "abc", wrong)


def test_other_threads_run_while_a_server_is_waited_for(
    router: cvolo.volo_router,
) -> None:
    server = cvolo.volo_server_new(cvolo.volo_router_service(router))
    cvolo.volo_server_set(server, cvolo.VOLO_SERVER_WORKERS, 1)
    cvolo.volo_server_bind(server, "127.0.0.1:0")
    cvolo.volo_server_start(server)
    waiter = threading.Thread(target=cvolo.volo_server_wait, args=(server,))
    waiter.start()  # would hold everything up if it kept the lock
    assert cvolo.volo_server_port(server, 0) > 0
    cvolo.volo_server_stop(server)
    waiter.join(30)
    assert not waiter.is_alive()


def test_a_port_that_is_not_there_is_an_error(router: cvolo.volo_router) -> None:
    server = cvolo.volo_server_new(cvolo.volo_router_service(router))
    with pytest.raises(VoloError, match="not found"):
        cvolo.volo_server_port(server, 0)


ELSEWHERE = """
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
import sys
code = f'''
import sys
sys.path[:] = {sys.path!r}
try:
    import volo
except ImportError as error:
    print("refused:", error)
'''
interpreters.run_string(interpreters.create(), code)
"""


def test_another_interpreter_is_told_that_it_cannot_have_the_package() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.startswith("refused:"), done.stderr
    assert "interpreter" in done.stdout
