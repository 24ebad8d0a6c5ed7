# mode: python
# outputs: o:DOUBLE
def py_frame(inputs):
    df = pd.DataFrame({"x": inputs["x"], "y": inputs["y"]})
    return {"o": (df["x"] + df["y"]).tolist()}
