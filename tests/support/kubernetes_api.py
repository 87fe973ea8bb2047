"""A small API server of Kubernetes. It records the objects that a client makes, and ends pods."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

_VERSION = {"apiVersion": "v1"}


class KubernetesApi:
    """Records the objects that clients make; every pod ends at once with `exit_code`.

    Attributes:
        exit_code: Exit code of the containers of pods.
        made: The objects, in the order in which they were made or changed.
    """

    def __init__(self, exit_code=0):
        self.exit_code, self.made, self._objects = exit_code, [], {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self._server.shutdown()
        self._server.server_close()

    @property
    def master(self):
        return f"k8s://http://127.0.0.1:{self._server.server_address[1]}"

    def of_kind(self, kind):
        """The last state of each object of a kind."""
        found = {o["metadata"]["name"]: o for o in self.made if o["kind"] == kind}
        return list(found.values())

    def make(self, folder, body):
        meta = body.setdefault("metadata", {})
        meta.setdefault("uid", f"uid-{len(self.made)}")
        meta["resourceVersion"] = str(len(self.made) + 1)
        meta.setdefault("creationTimestamp", "2020-01-01T00:00:00Z")
        self.made.append(json.loads(json.dumps(body)))
        if body["kind"] == "Pod":
            body["status"] = self._ended(body)
        self._objects[f"{folder}/{meta['name']}"] = body
        return body

    def _ended(self, pod):
        at = "2020-01-01T00:00:00Z"
        end = {"exitCode": self.exit_code, "reason": "Error" if self.exit_code else "Completed"}
        containers = [
            {
                "name": container["name"],
                "image": container["image"],
                "imageID": "",
                "ready": False,
                "restartCount": 0,
                "state": {"terminated": {**end, "startedAt": at, "finishedAt": at}},
            }
            for container in pod["spec"]["containers"]
        ]
        phase = "Failed" if self.exit_code else "Succeeded"
        return {"phase": phase, "startTime": at, "containerStatuses": containers}

    def find(self, path):
        return self._objects.get(path)

    def below(self, folder):
        return [o for path, o in self._objects.items() if path.rpartition("/")[0] == folder]


def _handler(api):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_arguments):
            pass

        def _send(self, code, body):
            data = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _missing(self, path):
            self._send(404, {**_VERSION, "kind": "Status", "code": 404, "message": path})

        def _body(self):
            return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

        def do_GET(self):
            url = urlsplit(self.path)
            found = api.find(url.path)
            if found is not None:
                return self._send(200, found)
            if not url.path.endswith(("pods", "services", "configmaps", "persistentvolumeclaims")):
                return self._missing(url.path)
            items = api.below(url.path)
            if parse_qs(url.query).get("watch") == ["true"]:
                return self._watch(items)
            list_meta = {"resourceVersion": "1"}
            return self._send(
                200, {**_VERSION, "kind": "List", "metadata": list_meta, "items": items}
            )

        def _watch(self, items):
            events = [{"type": "MODIFIED", "object": item} for item in items]
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Connection", "close")
            self.end_headers()
            for event in events:
                self.wfile.write(json.dumps(event).encode() + b"\n")
            self.close_connection = True

        def do_POST(self):
            self._send(201, api.make(urlsplit(self.path).path, self._body()))

        def do_PUT(self):
            path = urlsplit(self.path).path
            self._send(200, api.make(path.rpartition("/")[0], self._body()))

        def do_PATCH(self):
            self.do_PUT()

        def do_DELETE(self):
            self._send(200, {**_VERSION, "kind": "Status", "status": "Success"})

    return Handler
