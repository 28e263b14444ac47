# SPDX-License-Identifier: Apache-2.0
import volo

app = volo.App()


@app.fallback
def hello() -> str:
    return "Hello, World!\n"


if __name__ == "__main__":
    app.run(port=8080)
