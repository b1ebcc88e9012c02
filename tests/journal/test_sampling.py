from hypothesis import given
from hypothesis import strategies as st

from webapp.journal.sampling import LOUD_A_BEAT, Sample, keep


def test_the_newest_of_each_beat_is_kept():
    times = [0, 10, 990, 1000, 1500, 2100]
    kept, _ = keep(times, [0] * 6, 1000, False, Sample())
    assert list(kept) == [0, 0, 1, 0, 1, 1]


def test_warnings_and_errors_are_kept_up_to_a_hundred_a_beat_over_all_appends():
    sample, total = Sample(), 0
    for _ in range(3):
        kept, sample = keep([5] * 60, [3] * 59 + [0], 1000, False, sample)
        total += sum(kept)
    assert total == LOUD_A_BEAT + 3  # and the last line of each append
    kept, sample = keep([1005] * 3, [4] * 3, 1000, False, sample)
    assert list(kept) == [1, 1, 1]


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 4)), min_size=1, max_size=30), min_size=1, max_size=8
    )
)
def test_a_history_against_the_rule_in_plain_words(appends):
    sample, loud, first = Sample(), {}, True
    current = None
    for append in appends:
        append.sort(key=lambda line: line[0])
        times, levels = [line[0] for line in append], [line[1] for line in append]
        kept, sample = keep(times, levels, 1000, first, sample)
        for index, (time, level) in enumerate(append):
            beat = time // 1000
            newest = index == len(append) - 1 or times[index + 1] // 1000 != beat
            if level >= 3:
                if beat != current:
                    current, loud[beat] = beat, 0
                loud[beat] += 1
            noisy = level >= 3 and loud[beat] <= LOUD_A_BEAT
            assert bool(kept[index]) == (newest or noisy or (first and index == 0))
        first = False
