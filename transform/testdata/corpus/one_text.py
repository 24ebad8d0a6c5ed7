# mode: singleton
# refuses: of these characters
# outputs: o:STRING r:BOOL
def one_text(inputs):
    name = inputs.get("s") or "nobody"
    return {"o": name.lower().replace("a", "e"), "r": inputs["p"] is True}
