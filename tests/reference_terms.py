"""The formulas of the distillation terms in plain Python, one number after another.

Features are nested lists: series, features, time points.
"""

import math


def softmax(logits):
    largest = max(logits)
    exponentials = [math.exp(z - largest) for z in logits]
    return [e / sum(exponentials) for e in exponentials]


def kl(p, q):
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a > 0)


def smooth_l1(a, b):
    d = abs(a - b)
    return d * d / 2 if d < 1 else d - 0.5


def norm(vector):
    return math.sqrt(sum(v * v for v in vector))


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def resampled(values, length):
    """Linear interpolation between the centres of the samples."""
    result = []
    for i in range(length):
        place = max((i + 0.5) * len(values) / length - 0.5, 0)
        left = min(int(place), len(values) - 1)
        right = min(left + 1, len(values) - 1)
        result.append(values[left] + (place - left) * (values[right] - values[left]))
    return result


def on_equal_lengths(student, teacher):
    length = min(len(student[0][0]), len(teacher[0][0]))
    return tuple(
        [[resampled(row, length) for row in series] for series in features]
        for features in (student, teacher)
    )


def binary_and_rest(logits, y):
    p = softmax(logits)
    others = softmax([z for c, z in enumerate(logits) if c != y])
    return [p[y], sum(v for c, v in enumerate(p) if c != y)], others


def dkd(student, teacher, y, alpha, beta, temperature):
    total = 0
    for z_s, z_t, label in zip(student, teacher, y, strict=True):
        b_s, o_s = binary_and_rest([z / temperature for z in z_s], label)
        b_t, o_t = binary_and_rest([z / temperature for z in z_t], label)
        total += alpha * kl(b_t, b_s) + beta * kl(o_t, o_s)
    return temperature**2 * total / len(student)


def hint(projected, teacher):
    projected, teacher = on_equal_lengths(projected, teacher)
    return mean(
        (a - b) ** 2
        for s, t in zip(projected, teacher, strict=True)
        for row_s, row_t in zip(s, t, strict=True)
        for a, b in zip(row_s, row_t, strict=True)
    )


def attention_transfer(student, teacher):
    total = 0
    length = min(len(student[0][0]), len(teacher[0][0]))
    for series in zip(student, teacher, strict=True):
        profiles = []
        for features in series:
            profile = [mean(row[t] ** 2 for row in features) for t in range(len(features[0]))]
            profile = resampled(profile, length)
            size = max(norm(profile), 1e-6)
            profiles.append([v / size for v in profile])
        total += sum((a - b) ** 2 for a, b in zip(*profiles, strict=True))
    return total / len(student)


def relations(features):
    points = [[mean(row) for row in series] for series in features]
    n = len(points)

    def between(i, j):
        return [b - a for a, b in zip(points[i], points[j], strict=True)]

    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    least = max(1e-3 * mean(map(norm, points)), 1e-6)
    scale = max(mean(norm(between(*pair)) for pair in pairs), least)
    nearest = max(1e-3 * scale, least)
    distances = {pair: norm(between(*pair)) / scale for pair in pairs}
    angles = {}
    for i in range(n):
        for j in range(n):
            for k in range(n):
                if len({i, j, k}) == 3:
                    a, b = between(i, j), between(i, k)
                    dot = sum(u * v for u, v in zip(a, b, strict=True))
                    sizes = [max(norm(v), nearest) for v in (a, b)]
                    angles[i, j, k] = dot / (sizes[0] * sizes[1])
    return distances, angles


def rkd(student, teacher, distance_weight, angle_weight):
    total = 0
    for weight, of_student, of_teacher in zip(
        (distance_weight, angle_weight), relations(student), relations(teacher), strict=True
    ):
        if of_student:
            total += weight * mean(
                smooth_l1(value, of_teacher[key]) for key, value in of_student.items()
            )
    return total


def vid(predicted, variance, teacher):
    predicted, teacher = on_equal_lengths(predicted, teacher)
    return mean(
        (a - b) ** 2 / (2 * v) + math.log(v) / 2
        for s, t in zip(predicted, teacher, strict=True)
        for row_s, row_t, v in zip(s, t, variance, strict=True)
        for a, b in zip(row_s, row_t, strict=True)
    )


def memkd(student, teacher, starts, stops):
    student, teacher = on_equal_lengths(student, teacher)

    def change(features, start, stop):
        states = list(zip(*features, strict=True))
        least = max(1e-2 * mean(map(norm, states)), 1e-6)
        step = [b - a for a, b in zip(states[start], states[stop], strict=True)]
        return norm(step) / max(norm(states[start]), least)

    return mean(
        smooth_l1(change(s, *pair), change(t, *pair))
        for s, t in zip(student, teacher, strict=True)
        for pair in zip(starts, stops, strict=True)
    )


def soft_dtw(costs, gamma):
    table = [[math.inf] * (len(costs[0]) + 1) for _ in range(len(costs) + 1)]
    table[0][0] = 0
    for i, row in enumerate(costs):
        for j, cost in enumerate(row):
            before = [table[i][j], table[i][j + 1], table[i + 1][j]]
            least = min(before)
            soft = least - gamma * math.log(sum(math.exp((least - v) / gamma) for v in before))
            table[i + 1][j + 1] = cost + soft
    return table[-1][-1]


def dt2w(student, teacher, gamma):
    total = 0
    width = min(len(student[0]), len(teacher[0]))
    for s, t in zip(student, teacher, strict=True):
        # as many of the wider features, evenly spread
        s, t = ([f[i * len(f) // width] for i in range(width)] for f in (s, t))
        s, t = (list(zip(*f, strict=True)) for f in (s, t))

        def value(a, b):
            costs = [[mean((u - v) ** 2 for u, v in zip(p, q, strict=True)) for q in b] for p in a]
            return soft_dtw(costs, gamma)

        divergence = value(s, t) - (value(s, s) + value(t, t)) / 2
        total += divergence / max(len(s), len(t))
    return total / len(student)
