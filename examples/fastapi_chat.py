"""A chat whose answers survive reloads, second tabs and deploys.

    uvicorn --app-dir examples fastapi_chat:app

It needs `tidings[server,langchain]`. MODEL=openai:gpt-5-mini, or another name that LangChain knows, chooses a model.
"""

import os
from typing import Any

from fastapi import Body, FastAPI
from fastapi.responses import HTMLResponse, Response
from langchain_core.language_models import FakeListChatModel

from tidings import Hub

hub = Hub(os.environ.get("STORE", "sqlite:///chat.db"))
app = FastAPI(lifespan=hub.lifespan)
PAGE = """<!doctype html><title>Chat</title>
<form><input name=question autofocus> <button>Ask</button></form><pre></pre>
<script>
const text = document.querySelector("pre");
function follow(run) {
  const events = new EventSource(`/answers/${run}`);
  events.addEventListener("block.delta", (e) => { text.textContent += JSON.parse(e.data).delta; });
  events.addEventListener("tidings.end", () => events.close());
}
document.forms[0].onsubmit = async (e) => {
  e.preventDefault();
  text.textContent = "";
  const body = JSON.stringify(document.forms[0].question.value);
  const answer = await fetch("/ask", { method: "POST", headers: { "content-type": "application/json" }, body });
  follow(location.hash = await answer.json());
};
if (location.hash) follow(location.hash.slice(1));
</script>"""


def model() -> Any:
    if name := os.environ.get("MODEL"):
        from langchain.chat_models import init_chat_model

        return init_chat_model(name)
    return FakeListChatModel(responses=["I am only a script. Set MODEL to hear a model."], sleep=0.02)


@app.get("/")
async def page() -> HTMLResponse:
    return HTMLResponse(PAGE)


@app.post("/ask")
async def ask(question: str = Body()) -> str:
    return (await hub.runs.start(model(), question)).id


@app.get("/answers/{run}")
async def answer(run: str) -> Response:
    return hub.runs.response(run)
