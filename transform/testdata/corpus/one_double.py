# mode: singleton
# refuses: 64 bits
# outputs: o:INT64
def one_double(inputs):
    return {"o": None if inputs["a"] is None else inputs["a"] * 2}
