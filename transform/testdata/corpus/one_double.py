# mode: singleton
# outputs: o:INT64
def one_double(inputs):
    return {"o": None if inputs["a"] is None else inputs["a"] * 2}
