# mode: singleton
# outputs: o:STRING r:DOUBLE z:STRING n:STRING
def py_json(inputs):
    import json
    text = json.dumps({"s": inputs["s"], "list": [inputs["a"], inputs["p"], (inputs["c"],)], "x": {"x": 1.5 if inputs["x"] is None else inputs["x"]}})
    try:
        d = json.loads('{"a": [1, 2.5e1, null, true, -0, "\\u00e9\\ud83d\\ude00"], "a2": {}, "b": ' + json.dumps(inputs["u"]) + "}")
        bad = json.loads(inputs["s"])
    except json.JSONDecodeError:
        bad = "bad"
    except TypeError:
        bad = "none"
    back = json.loads(text.replace("Infinity", "1").replace("NaN", "2").replace("-1", "1"))
    return {"o": text, "r": d["a"][1] + len(d["a"]) + d["a"][4], "z": d["b"], "n": str(bad) + d["a"][5] + str(back["list"][2][0]) + json.dumps(back["s"], ensure_ascii=False)}
