# mode: singleton
# outputs: o:INT64
def one_loop(inputs):
    n, total = 0, 0
    while n < 10:
        n += 1
        if n % 2 == 0:
            continue
        if n > 7:
            break
        total += n
    return {"o": total + (inputs["b"] or 0)}
