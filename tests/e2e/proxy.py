"""A proxy on loopback between crmsync and a simulator, for answers that no simulator gives: a listing that is suddenly empty, a permission
that was taken away, objects that are left out."""

import http.server
import json
import threading
import urllib.error
import urllib.request


class Proxy:
    """rule(method, path, body) → None to pass on, or a (status, object) answer; edit(path, object) → object changes a passed answer."""

    def __init__(self, target):
        proxy = self
        self.target = target
        self.rule = lambda method, path, body: None
        self.edit = lambda path, answer: answer

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def pass_on(self, body):
                headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection", "content-length", "accept-encoding")}
                request = urllib.request.Request(proxy.target + self.path, data=body, method=self.command, headers=headers)
                try:
                    with urllib.request.urlopen(request, timeout=60) as answer:
                        return answer.status, dict(answer.headers), answer.read()
                except urllib.error.HTTPError as error:
                    return error.code, dict(error.headers), error.read()

            def handle_any(self):
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length) if length else None
                ruled = proxy.rule(self.command, self.path, body)
                if ruled:
                    status, headers, data = ruled[0], {}, json.dumps(ruled[1]).encode()
                else:
                    status, headers, data = self.pass_on(body)
                    if status < 300 and data[:1] == b"{":
                        data = json.dumps(proxy.edit(self.path, json.loads(data))).encode()
                self.send_response(status)
                for name, value in headers.items():
                    if name.lower() not in ("content-length", "connection", "transfer-encoding", "date", "server", "content-type"):
                        self.send_header(name, value)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_any

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.server.server_address[1]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)


def behind(world, crm, **settings):
    """Puts a proxy before one CRM of a running world; settings as for write_config."""
    proxy = Proxy(world.sims.url(crm))
    direct = world.sims.url
    world.sims.url = lambda name: proxy.url if name == crm else direct(name)
    world.write_config(**settings)
    world.sims.url = direct
    return proxy
