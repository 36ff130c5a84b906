from __future__ import annotations

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.prompt_values import StringPromptValue

from tidings.assistants.conversation import SYSTEM, recent, to_messages, with_system


def test_any_input_of_a_runnable_becomes_messages() -> None:
    expected = [HumanMessage("Hi")]
    assert to_messages("Hi") == expected
    assert to_messages([{"role": "user", "content": "Hi"}]) == expected
    assert to_messages([HumanMessage("Hi")]) == expected
    assert to_messages(StringPromptValue(text="Hi")) == expected


def test_a_conversation_gets_a_system_message_unless_it_has_one() -> None:
    assert with_system("Hi") == [SystemMessage(SYSTEM), HumanMessage("Hi")]
    own = [SystemMessage("Be terse."), HumanMessage("Hi")]
    assert with_system(own) == own


def test_only_what_fits_is_remembered_but_always_the_question() -> None:
    talk = [SystemMessage("s" * 99), HumanMessage("a" * 10), AIMessage("b" * 10), HumanMessage("c" * 10)]
    assert recent([*talk], 1000) == talk
    assert recent([*talk], 20) == [talk[0], *talk[2:]]
    assert recent([*talk], 1) == [talk[0], talk[3]]
