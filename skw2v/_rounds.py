"""The rounds of an epoch in calls into the kernels, on as many threads as are worth it."""

import time

# A call into the kernels lasts about this long, so that an interrupt is never far away.
SECONDS_PER_CALL = 0.1


def run_rounds(engine, rates, team, on_call):
    """Run all rounds, in calls of about SECONDS_PER_CALL each; `on_call` gets the share done."""
    done, step = 0, team.rounds_of_a_call
    while done < len(rates):
        n_rounds = min(max(1, step // 4) if team.on_trial else step, len(rates) - done)
        started = time.perf_counter()
        engine.run(rates[done : done + n_rounds], team.n_threads)
        seconds = max(time.perf_counter() - started, 1e-9)
        done += n_rounds
        if not team.on_trial:
            # At most double: the first rounds (cold caches) say little about the ones to come.
            step = max(1, int(min(2 * step, n_rounds * SECONDS_PER_CALL / seconds)))
        team.report(n_rounds / seconds, seconds)
        if on_call is not None:
            on_call(done / len(rates))
    team.rounds_of_a_call = step


class Team:
    """How many threads run the next rounds: all of them, or fewer while the machine is busy.

    Threads that meet at a barrier twice a round run at the pace of the one that waits for a core.
    Where other processes want the cores, fewer threads are faster, and since the vectors do not
    depend on their number we are free to change it: now and then a call runs with half or twice as
    many, and the faster number stays. On an idle machine the trials get rare (they cost below 1 %).
    """

    FIRST_TRIAL, LONGEST_WAIT = 1.0, 8.0  # seconds
    SHORTEST_SAMPLE = 0.01  # seconds; the speed of a shorter call is chance

    def __init__(self, n_threads):
        self.most = self.n_threads = self._settled = n_threads
        self.rounds_of_a_call = 1  # as long as nothing is known
        self._speed = 0.0  # rounds per second of the settled number, smoothed
        self._wait = self._until_trial = self.FIRST_TRIAL
        self._up = False

    @property
    def on_trial(self):
        """Does the next call try another number of threads?"""
        return self.n_threads != self._settled

    def report(self, speed, seconds):
        """Take note of a call's speed and set ``n_threads`` for the next one."""
        if self.most == 1 or (seconds < self.SHORTEST_SAMPLE and not self.on_trial):
            return
        if self.on_trial:
            if speed > self._speed:
                self._settled, self._speed, self._wait = self.n_threads, speed, self.FIRST_TRIAL
            else:
                self.n_threads = self._settled
                self._wait = min(2 * self._wait, self.LONGEST_WAIT)
            self._until_trial = self._wait
            return
        if speed < 0.6 * self._speed:  # something else has come up
            self._until_trial = 0.0
            self._wait = self.FIRST_TRIAL
        self._speed = speed if self._speed == 0.0 else 0.5 * (self._speed + speed)
        self._until_trial -= seconds
        if self._until_trial <= 0.0:
            self._up = self._settled < self.most and (not self._up or self._settled == 1)
            tried = 2 * self._settled if self._up else max(1, self._settled // 2)
            self.n_threads = min(tried, self.most)
