"""A chat whose answers survive reloads, second tabs and deploys.

    uvicorn --app-dir examples fastapi_chat:app

It needs `tidings[server,langchain]`. MODEL=openai:gpt-5-mini, or another name that LangChain knows, chooses a model.
"""

import os
from typing import Any

from fastapi import Body, FastAPI
from fastapi.responses import HTMLResponse, Response
from langchain.chat_models import init_chat_model
from langchain_core.language_models import FakeListChatModel

from tidings import Hub

hub = Hub(os.environ.get("STORE", "sqlite:///chat.db"))
app = FastAPI(lifespan=hub.lifespan)
PAGE = """<!doctype html><title>Chat</title>
<form><input name=question autofocus> <button>Ask</button></form><pre></pre><script>
let events, text = document.querySelector("pre");
const show = ({ delta, outcome, message }) =>
  text.append(delta ?? (outcome === "success" ? "" : ` (${outcome ?? message})`));
onhashchange = onload = () => {
  if (events) { events.close(); text.textContent = ""; }
  if (!location.hash) return;
  events = new EventSource("/answers/" + location.hash.slice(1));
  for (const type of ["block.delta", "run.finished", "run.failed"])
    events.addEventListener(type, (e) => show(JSON.parse(e.data)));
};
document.forms[0].onsubmit = async (e) => {
  e.preventDefault();
  const body = JSON.stringify(document.forms[0].question.value);
  const answer = await fetch("/ask", { method: "POST", headers: { "content-type": "application/json" }, body });
  location.hash = await answer.json();
};
</script>"""


def model() -> Any:
    if name := os.environ.get("MODEL"):
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
