import shared.keys as k

again = k.user
