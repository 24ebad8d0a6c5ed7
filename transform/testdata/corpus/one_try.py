# mode: singleton
# outputs: o:DOUBLE
def one_try(inputs):
    codes = {"NY": 1.0}
    try:
        return {"o": codes[inputs["s"]] / inputs["a"]}
    except KeyError:
        return {"o": -1.0}
    except (ZeroDivisionError, TypeError):
        return {"o": -2.0}
