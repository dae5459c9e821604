"""A stunt planned for one body: when its keys come, how the centre of mass travels, and what feet and hands hold on to.

The centre of mass is what moves by physics. In a flight it falls freely, whatever the limbs do, and the body turns as
its angular momentum about the axis says: faster while it is tucked. On the ground the centre of mass follows curves of
least jerk that meet the flight with its velocity and with gravity's acceleration. Where the body rests on the ground,
it lies on its lowest part and rolls without slipping. The hips follow from the centre of mass in every frame.

Keys that are held by contacts are the spacetime constraints of Witkin and Kass (1988, "Spacetime constraints") and the
flight's are those of Liu and Popović (2002, "Synthesis of complex dynamic character motion from simple animations"),
solved in closed form instead of by optimisation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from farm.errors import TemplateError
from farm.motion.arms import arm_angles, closer, set_arms, want
from farm.motion.clip import Clip
from farm.motion.contact import Feet
from farm.motion.curve import Chain, Quintic, flow, hermite, tangents
from farm.motion.flesh import lowest, resting_points
from farm.motion.limbs import Grips, hold, palm_rotation
from farm.motion.limits import within_limits
from farm.motion.mass import SEGMENTS, centre_of_mass
from farm.motion.skeleton import INDEX, SIDES, Skeleton
from farm.motion.stunt.layout import LIMBS, Entry, Guess, Laid, lay_out, posture

__all__ = ["GRAVITY", "Plan", "plan_entries"]

Array = NDArray[np.float64]
Path = Callable[[Array], Array]

GRAVITY: Final = 9.81
"""m/s²"""
ROUNDS: Final = 6
"""Rounds in which layout and timing are brought to agree, at most."""
SAME: Final = 3e-3
"""Metres: layouts that differ by less are the same."""
TINY: Final = 1e-12
SHARES: Final = (0.4, 3.0)
"""How far a round goes with what it finds, at least and at most."""
SHORT: Final = 0.05
"""Metres over which legs push at least."""
HOP: Final = 0.02
"""Metres that a flight rises above its higher end where the template does not say."""
RAMP: Final = 0.13
"""Seconds in which a foot or hand leaves its hold, or comes to it."""
SHORTEST: Final = 0.05
"""Seconds that a foot takes at least."""
STAYS: Final = 0.03
"""Metres: a foot that stands elsewhere than before by less does not step."""
STEPPING: Final = ((0.04, 0.27, 0.5), (0.5, 0.73, 0.96))
"""When the left foot and the right one leave, are highest and stand again, in shares of the time there is."""
LIFTED: Final = (0.25, 0.08)
"""How high a step lifts a foot: a share of its length, and metres at most."""
EASES: Final = 0.08
"""Seconds before a take-off and after a landing in which a leg may give way before it is straight."""
LAG: Final = 0.28
"""Share of the way flown in that time by which the foot lags at most."""
LEADS: Final = 0.42
"""Share of the way at take-off speed by which the weight has moved when it leaves the ground."""
LEANS: Final = 0.32
"""The farthest that the weight is before or behind its support by itself, leg lengths."""
SINKS: Final = 0.01
"""Metres: how softly a body is kept above the ground between keys."""
RAISES: Final = 0.06
"""Seconds before and after a flight, or lying, in which that begins."""
YIELDS: Final = 0.035
"""Seconds in which flesh and floor take up a fall."""
SLIPS: Final = 0.12
"""Seconds in which a body that lands sliding comes to roll."""
RATE: Final = 240.0
"""Hz at which rolling is followed."""
STEP: Final = 1e-3
GYRATION: Final = 0.09
"""Metres that each segment's mass reaches around its own centre."""
SOLVES: Final = 12
ENOUGH: Final = 1e-7
"""Metres: the centre of mass is where it should be when it is off by less."""
ARMS_RATE: Final = 60.0
"""Hz at which arms are planned."""
ARMS_SOLVES: Final = 18
"""Steps in which they are, at most."""
LEGS_EVERY: Final = 3
"""Of these steps, one in so many moves the legs, too."""
EASY: Final = 0.5
"""Radians: how easily arms' angles change in the first step."""
HARDENS: Final = 5.0
"""Steps after which they change half as easily."""
STILL: Final = 4e-3
"""Radians: arms are where they should be when their angles change by less."""
FAR_BELOW: Final = -100.0


@dataclass(frozen=True)
class Flight:
    """A flight from key `start` to key `end`: seconds, and the velocity (3,) at either end."""

    start: int
    end: int
    duration: float
    leaving: Array
    arriving: Array


@dataclass(frozen=True)
class Run:
    """A limb's hold over consecutive keys: times (m,), places (m, 3), turns (m,), heels (m,); seconds to come and go.

    `lands` and `leaps` say whether it begins and ends with a flight.
    """

    times: Array
    places: Array
    turns: Array
    heels: Array
    base: float
    come: float
    go: float
    lands: bool
    leaps: bool


@dataclass(frozen=True)
class Plan:
    """A stunt planned for one body.

    times    (K,) seconds of its keys
    laid     the keys in the world
    flights  its flights
    arms     the arms' angles (N, 2, 9) in radians by time
    """

    skeleton: Skeleton
    times: Array
    laid: list[Laid]
    flights: list[Flight]
    turning: Path
    centre: Chain
    runs: tuple[tuple[Run, ...], ...]
    arms: Path

    @property
    def duration(self) -> float:
        """Seconds."""
        return float(self.times[-1])

    @property
    def lying(self) -> list[tuple[float, float]]:
        """Spans in seconds in which the body rests on something."""
        return [(float(self.times[start]), float(self.times[end])) for start, end in body_runs(self.laid)]

    @property
    def airborne(self) -> list[tuple[float, float]]:
        """Spans in seconds in which nothing is touched."""
        return [(float(self.times[flight.start]), float(self.times[flight.end])) for flight in self.flights]

    def sample(self, at: Array) -> Clip:
        """The clip at times (N,) in seconds; it stands still before the beginning and after the end."""
        at = np.clip(at, 0.0, self.duration)
        local = self.posture(at)
        grips, target = self._grips(at), self.centre(at)
        _, places = self.skeleton.pose(local, np.zeros((len(at), 3)))
        hips = target - centre_of_mass(places)
        raised = self._raised(hold(self.skeleton, local, hips, grips), hips, at, grips.floor)
        hips[:, 2] += raised
        target[:, 2] += raised
        set_arms(local, self.arms(at))
        for _ in range(SOLVES):
            _, places = self.skeleton.pose(hold(self.skeleton, local, hips, grips), hips)
            step = target - centre_of_mass(places)
            hips = hips + step
            if np.abs(step).max() < ENOUGH:
                break
        solved = within_limits(hold(self.skeleton, local, hips, grips), grips.planted)
        _, places = self.skeleton.pose(solved, hips)
        return Clip(hips + target - centre_of_mass(places), solved)

    def reaching(self) -> Plan:
        """The plan with arms that keep to what their hands hold, out of the body and above the floor."""
        at = np.linspace(0.0, self.duration, max(3, int(np.ceil(self.duration * ARMS_RATE)) + 1))
        local, grips, target = self.posture(at), self._grips(at), self.centre(at)
        keyed = arm_angles(self._angles(at))
        wanted = want(self.skeleton, local, keyed, grips)
        _, places = self.skeleton.pose(local, np.zeros((len(at), 3)))
        hips = target - centre_of_mass(places)
        raised = self._raised(hold(self.skeleton, local, hips, grips), hips, at, grips.floor)
        hips[:, 2] += raised
        target[:, 2] += raised
        arms = keyed
        for solve in range(ARMS_SOLVES):
            if solve % LEGS_EVERY == 0:
                local = hold(self.skeleton, local, hips, grips)
            set_arms(local, arms)
            turned, places = self.skeleton.pose(local, hips)
            step = target - centre_of_mass(places)
            hips = hips + step
            before, steady = arms, EASY / (1.0 + solve / HARDENS)
            posed = (turned, places + step[:, None])
            arms, _ = closer(self.skeleton, arms, posed, wanted, steady=steady, step=float(at[1]))
            if np.abs(arms - before).max() < STILL:
                break
        slopes = np.gradient(arms, at, axis=0)
        slopes[[0, -1]] = 0.0
        return replace(self, arms=hermite(at, arms, slopes))

    def _raised(self, local: Array, hips: Array, at: Array, floor: Array) -> Array:
        """How far (N,) a body between its keys is raised for trunk and thighs to stay above the ground."""
        turned, places = self.skeleton.pose(local, hips)
        depth = floor - resting_points(self.skeleton, turned, places)[..., 2].min(axis=-1)
        raised = SINKS * np.logaddexp(0.0, depth / SINKS - 1.0)
        for start, end in (*self.airborne, *self.lying):
            raised *= _smooth(np.clip(np.maximum(start - at, at - end) / RAISES, 0.0, 1.0))
        return raised

    def posture(self, at: Array) -> Array:
        """Local rotations (N, B, 3, 3) as the keys' angles have them, whatever is held."""
        return posture(self._angles(at), self.turning(at))

    def _angles(self, at: Array) -> Array:
        """Angles (N, B, SLOTS) in degrees between those of the keys."""
        return flow(self.times, np.stack([key.angles for key in self.laid]), at)

    def _grips(self, at: Array) -> Grips:
        held = [_held(runs, at) for runs in self.runs]
        feet = Feet(
            place=np.stack([place for place, *_ in held[:2]], axis=1),
            turn=np.stack([turn for _, turn, *_ in held[:2]], axis=1),
            heel=np.stack([heel for _, _, heel, _ in held[:2]], axis=1),
            grip=np.ones((len(at), 2)),
        )
        return Grips(
            feet=feet,
            planted=np.stack([weight for *_, weight in held[:2]], axis=1),
            easy=np.stack([_easy(runs, at) for runs in self.runs[:2]], axis=1),
            wrists=np.stack([place for place, *_ in held[2:]], axis=1),
            palms=palm_rotation(np.stack([turn for _, turn, *_ in held[2:]], axis=1)),
            laid=np.stack([weight for *_, weight in held[2:]], axis=1),
            floor=self._floor(at),
        )

    def _floor(self, at: Array) -> Array:
        """The height (N,) below which no foot or hand goes: the lower of the grounds before and after."""
        grounded = [index for index, key in enumerate(self.laid) if not key.flying]
        times, bases = self.times[grounded], np.array([self.laid[index].base for index in grounded])
        lower = np.minimum(bases[:-1], bases[1:])
        floor = np.full(len(at), lower[0])
        for index in range(1, len(lower)):
            step = lower[index] - lower[index - 1]
            since = (at - times[index]) / RAMP + (0.0 if step > 0.0 else 1.0)
            floor += step * _smooth(np.clip(since, 0.0, 1.0))
        return floor


def _held(runs: tuple[Run, ...], at: Array) -> tuple[Array, Array, Array, Array]:
    """Place (N, 3), turn (N,), heel (N,) and weight (N,) of a limb's hold."""
    place, turn, heel, weight = np.zeros((len(at), 3)), np.zeros(len(at)), np.zeros(len(at)), np.zeros(len(at))
    for run in runs:
        chosen = (at >= run.times[0] - run.come) & (at <= run.times[-1] + run.go)
        times = at[chosen]
        before = np.clip((times - run.times[0] + run.come) / max(run.come, 1e-9), 0.0, 1.0)
        after = np.clip((run.times[-1] + run.go - times) / max(run.go, 1e-9), 0.0, 1.0)
        weight[chosen] = _smooth(np.where(times < run.times[0], before, np.where(times > run.times[-1], after, 1.0)))
        place[chosen] = flow(run.times, run.places, times) if len(run.times) > 1 else run.places[0]
        turn[chosen] = flow(run.times, run.turns, times) if len(run.times) > 1 else run.turns[0]
        heel[chosen] = flow(run.times, run.heels, times) if len(run.times) > 1 else run.heels[0]
    return place, turn, heel, weight


def _easy(runs: tuple[Run, ...], at: Array) -> Array:
    """How far (N,) a leg may give way before it is straight: in the air, and just before and after a flight."""
    easy = np.ones(len(at))
    for run in runs:
        since, until = (at - run.times[0]) / EASES, (run.times[-1] - at) / EASES
        firm = np.minimum(since if run.lands else since + 1.0, until if run.leaps else until + 1.0)
        easy *= 1.0 - _smooth(np.clip(firm, 0.0, 1.0))
    return easy


def _smooth(share: Array) -> Array:
    """From 0 to 1 with velocity and acceleration 0 at both ends."""
    smooth: Array = share**3 * (10.0 + share * (6.0 * share - 15.0))
    return smooth


def plan_entries(entries: list[Entry], skeleton: Skeleton, *, speed: float, timing: float) -> Plan:
    """Plan keys for a body; TemplateError where they cannot be done."""
    guess, before, share = Guess(), np.zeros(0), 1.0
    for _ in range(ROUNDS):
        laid = lay_out(entries, skeleton, guess)
        planner = _Planner(entries, laid, skeleton, speed=speed, timing=timing)
        better = planner.improve(guess)
        change = guess.changes(better)
        if np.abs(change).max(initial=0.0) < SAME:
            break
        share = _share(share, before, change)
        guess, before = guess.towards(better, share), change
    return planner.plan().reaching()


def _share(share: float, before: Array, change: Array) -> float:
    """How far to go with a change, after one that went a share of its way (Irons and Tuck 1969, "A version of the
    Aitken accelerator for computer iteration").
    """
    if before.shape != change.shape:
        return 1.0
    turned = change - before
    found = -share * float(before @ turned) / max(float(turned @ turned), TINY)
    return min(max(found, SHARES[0]), SHARES[1])


class _Planner:
    """Times and paths of keys that have been laid out."""

    def __init__(
        self, entries: list[Entry], laid: list[Laid], skeleton: Skeleton, *, speed: float, timing: float
    ) -> None:
        self._entries, self._laid, self._skeleton = entries, laid, skeleton
        self._standing = centre_of_mass(skeleton.joints)[2]
        self._flights = [self._fly(start, end) for start, end in _airborne(laid)]
        self._times = self._clock(speed, timing)
        self._angles = np.stack([key.angles for key in laid])
        self._turning = self._turn()

    def improve(self, last: Guess) -> Guess:
        """What the next layout takes from this one, and from what it took itself."""
        guess = Guess(hips=last.hips, arms=last.arms, stood=last.stood)
        for flight in self._flights:
            for key, before, velocity in (
                (flight.start, flight.start - 1, flight.leaving),
                (flight.end, flight.end, -flight.arriving),
            ):
                if 0 <= before < len(self._times) - 1 and self._entries[key].pose is None:
                    span = LEADS * velocity[:2] * (self._times[before + 1] - self._times[before])
                    most = LEANS * self._skeleton.leg / max(float(np.linalg.norm(span)), 1e-9)
                    guess.ahead[key] = span * min(1.0, most)
        for start, end in body_runs(self._laid):
            path, _ = self._roll(start, end)
            centres = path(self._times[start : end + 1])
            for key in range(start + 1, end + 1):
                guess.moved[key] = centres[key - start, :2] - centres[key - start - 1, :2]
            if end + 1 < len(self._laid):
                span = self._times[end + 1] - self._times[end]
                guess.moved[end + 1] = 0.5 * span * self._velocity_on_body(end)[:2]
        return guess

    def plan(self) -> Plan:
        """The plan."""
        return Plan(
            skeleton=self._skeleton,
            times=self._times,
            laid=self._laid,
            flights=self._flights,
            turning=self._turning,
            centre=self._travel(),
            runs=tuple(tuple(self._holds(limb)) for limb in range(len(LIMBS))),
            arms=lambda at: arm_angles(flow(self._times, self._angles, at)),
        )

    def _fly(self, start: int, end: int) -> Flight:
        entry = self._entries[start]
        first, last = self._laid[start].centre, self._laid[end].centre
        top = max(first[2], last[2]) + HOP
        if entry.key.leap is not None:
            top = max(top, self._laid[start].base + self._standing + entry.key.leap * entry.scale.height)
        up, down = (float(np.sqrt(2.0 * GRAVITY * (top - height))) for height in (first[2], last[2]))
        duration = (up + down) / GRAVITY
        across = (last[:2] - first[:2]) / duration
        return Flight(start, end, duration, np.array([*across, up]), np.array([*across, -down]))

    def _clock(self, speed: float, timing: float) -> Array:
        """Times (K,) of the keys."""
        leaving = {flight.start: flight for flight in self._flights}
        arriving = {flight.end: flight for flight in self._flights}
        times = np.zeros(len(self._laid))
        for index in range(1, len(self._laid)):
            key, before = self._entries[index].key, times[index - 1]
            flight = next((f for f in self._flights if f.start < index <= f.end), None)
            if flight is not None:
                share = 1.0 if index == flight.end else key.at
                if share is None:
                    raise TemplateError(f"{self._entries[index].place}: 'at' is missing: a share of the flight")
                times[index] = times[flight.start] + share * flight.duration
            elif key.time is not None:
                times[index] = before + key.time * (timing if key.rest else 1.0 / speed)
            elif index in leaving:
                times[index] = before + self._force_time(index, index - 1, index, leaving[index].leaving[2])
            elif index - 1 in arriving:
                times[index] = before + self._force_time(index, index, index - 1, -arriving[index - 1].arriving[2])
            else:
                raise TemplateError(f"{self._entries[index].place}: 'time' is missing: seconds since the key before")
        return times

    def _force_time(self, index: int, low: int, high: int, speed: float) -> float:
        """Seconds in which the legs push from rest to a speed, or stop a body that arrives with it.

        The longest time in which a curve of least jerk that ends in free fall does not first go the other way makes
        the distance 10 d = 4 v t + g t² / 2; nine tenths of it are taken.
        """
        distance = float(self._laid[high].centre[2] - self._laid[low].centre[2])
        if distance < -SHORT:
            raise TemplateError(
                f"{self._entries[index].place}: the weight must rise before a flight and sink after it, and not the "
                f"other way by {-100 * distance:.0f} cm; bend the knees more, or give the key a time"
            )
        distance = max(distance, SHORT)
        longest = (np.sqrt(16.0 * speed**2 + 20.0 * GRAVITY * distance) - 4.0 * speed) / GRAVITY
        return float(0.9 * longest)

    def _turn(self) -> Path:
        """Flip, tip and spin (N, 3) by time."""
        values = np.stack([key.turns for key in self._laid])
        grounded = [index for index in range(len(values)) if not self._laid[index].flying]
        times = self._times[grounded]
        slopes = tangents(times, values[grounded])
        profiles = {}
        for flight in self._flights:
            shares = self._turn_shares(flight)
            start, end = grounded.index(flight.start), grounded.index(flight.end)
            profiles[start] = shares
            whole = (values[flight.end] - values[flight.start]) / flight.duration
            slopes[start], slopes[end] = whole * shares.ends[0], whole * shares.ends[1]
        smooth = hermite(times, values[grounded], slopes)

        def turning(at: Array) -> Array:
            turned = smooth(at)
            for start, shares in profiles.items():
                chosen = (at > times[start]) & (at < times[start + 1])
                share = shares((at[chosen] - times[start]) / (times[start + 1] - times[start]))
                first, last = values[grounded[start]], values[grounded[start + 1]]
                turned[chosen] = first + share * (last - first)
            return turned

        return turning

    def _turn_shares(self, flight: Flight) -> _Shares:
        """How a flight's turns go on: as fast as the posture's inertia about each axis lets them."""
        at = np.linspace(0.0, 1.0, 65)
        times = self._times[flight.start] + at * flight.duration
        local = posture(flow(self._times, self._angles, times), np.zeros((len(at), 3)))
        _, places = self._skeleton.pose(local, np.zeros((len(at), 3)))
        offset = _segments(places) - centre_of_mass(places)[:, None]
        mass = np.array([segment.share for segment in SEGMENTS])[None, :, None]
        square = np.sum(mass * offset**2, axis=1)
        inertia = np.stack([square[:, [1, 2]].sum(1), square[:, [0, 2]].sum(1), square[:, [0, 1]].sum(1)], axis=1)
        pace = 1.0 / (inertia + GYRATION**2)
        done = np.concatenate([np.zeros((1, 3)), np.cumsum((pace[1:] + pace[:-1]) / 2, axis=0)])
        total = done[-1]
        return _Shares(at, done / total, pace * (len(at) - 1) / total)

    def _lying(self, at: Array) -> tuple[Array, Array]:
        """At times (N,), with the body on z = 0 and what it touches not slipping, the centre of mass' height and rise
        (N, 2), and its velocity across (N, 2).
        """
        both = np.concatenate([at - STEP, at + STEP])
        local = posture(flow(self._times, self._angles, both), self._turning(both))
        turned, places = self._skeleton.pose(local, np.zeros((len(both), 3)))
        low, weights = lowest(self._skeleton, turned, places)
        centre, points = centre_of_mass(places), resting_points(self._skeleton, turned, places)
        half = len(at)
        weight = (weights[:half] + weights[half:]) / 2
        touching = np.sum(weight[..., None] * (points[half:] - points[:half]), axis=1)[:, :2] / (2 * STEP)
        velocity = (centre[half:, :2] - centre[:half, :2]) / (2 * STEP) - touching
        height = centre[:, 2] - low
        return np.stack(
            [(height[:half] + height[half:]) / 2, (height[half:] - height[:half]) / (2 * STEP)], 1
        ), velocity

    def _velocity_on_body(self, index: int) -> Array:
        """The centre's velocity (3,) at a key at which the body rests, without slipping."""
        height, velocity = self._lying(self._times[index : index + 1])
        return np.array([*velocity[0], height[0, 1]])

    def _roll(self, start: int, end: int) -> tuple[Path, Array]:
        """The path of the centre of mass from one key to another that rest on the body, and its last velocity (3,)."""
        times = self._times[start : end + 1]
        count = max(2, int(np.ceil((times[-1] - times[0]) * RATE)) + 1)
        at = np.linspace(times[0], times[-1], count)
        height, velocity = self._lying(at)
        base = np.array([key.base for key in self._laid[start : end + 1]])
        level = hermite(times, base, tangents(times, base)) if len(times) > 1 else lambda t: np.full(len(t), base[0])
        landing = next((flight for flight in self._flights if flight.end == start), None)
        sinking, slipping = 0.0, np.zeros(2)
        if landing is not None:
            sinking = float(landing.arriving[2] - height[0, 1])
            slipping = landing.arriving[:2] - velocity[0]
        since = at - times[0]
        soft = self._entries[start].key.soften or YIELDS
        slide = self._entries[start].key.slide
        fades = SLIPS
        if slide is not None:
            fades = max(slide * self._skeleton.leg / max(float(np.linalg.norm(slipping)), 1e-6), 0.02)
        speed = velocity + slipping * np.exp(-since / fades)[:, None]
        step = np.diff(at)[:, None] if count > 1 else np.zeros((0, 1))
        across = np.concatenate([np.zeros((1, 2)), np.cumsum((speed[1:] + speed[:-1]) / 2 * step, axis=0)])
        across += self._laid[start].centre[:2]
        up = level(at) + height[:, 0] + sinking * since * np.exp(-since / soft)
        rise = height[:, 1] + sinking * (1 - since / soft) * np.exp(-since / soft) + _slope(level, at)
        rows, slopes = np.column_stack([across, up]), np.column_stack([speed, rise])
        if any(self._entries[key].key.ahead is not None for key in range(start + 1, end + 1)):
            places = np.stack([key.centre[:2] for key in self._laid[start : end + 1]])
            pace = tangents(times, places)
            pace[0] = speed[0]
            smooth = hermite(times, places, pace)
            rows[:, :2], slopes[:, :2] = smooth(at), _slope(smooth, at)
        return hermite(at, rows, slopes), slopes[-1]

    def _travel(self) -> Chain:
        """The centre of mass (N, 3) by time."""
        leaving = {flight.start: flight for flight in self._flights}
        arriving = {flight.end: flight for flight in self._flights}
        runs = dict(body_runs(self._laid))
        rolls = {start: self._roll(start, end) for start, end in runs.items()}
        last = {end: rolls[start][1] for start, end in runs.items()}
        grounded = [index for index, key in enumerate(self._laid) if not key.flying]
        centres = np.stack([self._laid[index].centre for index in grounded])
        for end, start in ((end, start) for start, end in runs.items()):
            for index in range(start, end + 1):
                centres[grounded.index(index)] = rolls[start][0](self._times[index : index + 1])[0]
        slopes = tangents(self._times[grounded], centres)
        starts, pieces = [], []
        for place, index in enumerate(grounded[:-1]):
            after = grounded[place + 1]
            starts.append(self._times[index])
            if index in leaving:
                pieces.append(_fall(centres[place], leaving[index].leaving))
            elif self._laid[index].body and self._laid[after].body:
                run = next(start for start, end in runs.items() if start <= index <= end)
                pieces.append(_since(rolls[run][0], float(self._times[index])))
            else:
                pieces.append(
                    _least_jerk(
                        (centres[place], *self._state(index, slopes[place], arriving, last)),
                        (centres[place + 1], *self._state(after, slopes[place + 1], leaving, None)),
                        float(self._times[after] - self._times[index]),
                    )
                )
        return Chain(np.array(starts), pieces)

    def _state(
        self, index: int, slope: Array, flights: dict[int, Flight], last: dict[int, Array] | None
    ) -> tuple[Array, Array]:
        """Velocity and acceleration (3,) of the centre of mass at a key, as the curve beside it has them."""
        fall, still = np.array([0.0, 0.0, -GRAVITY]), np.zeros(3)
        if index in flights:
            flight = flights[index]
            return (flight.leaving if last is None else flight.arriving), fall
        if last is not None and index in last:
            return last[index], still
        if last is None and self._laid[index].body:
            return self._velocity_on_body(index), still
        if index in (0, len(self._laid) - 1):
            return still, still
        return slope, still

    def _holds(self, limb: int) -> list[Run]:
        """A limb's runs of keys at which it stands."""
        bears = [bool(key.bears[limb]) for key in self._laid]
        runs = []
        for start in (index for index, on in enumerate(bears) if on and (index == 0 or not bears[index - 1])):
            end = start
            while end + 1 < len(bears) and bears[end + 1]:
                end += 1
            foot, side = limb < 2, limb % 2
            keys = self._laid[start : end + 1]
            places = np.stack([(key.place if foot else key.wrists)[side] for key in keys])
            turns = np.array([(key.turn if foot else key.palm)[side] for key in keys])
            heels = np.array([key.heel[side] for key in keys])
            times = self._times[start : end + 1]
            if foot:
                times, places, turns, heels = self._step(start, side, times, places, turns, heels)
            runs.append(
                Run(
                    times=times,
                    places=places,
                    turns=turns,
                    heels=heels,
                    base=keys[0].base,
                    come=self._ramp(limb, bears, start, -1),
                    go=self._ramp(limb, bears, end, 1),
                    lands=any(flight.end == start for flight in self._flights),
                    leaps=any(flight.start == end for flight in self._flights),
                )
            )
        return runs

    def _step(
        self, first: int, side: int, times: Array, places: Array, turns: Array, heels: Array
    ) -> tuple[Array, Array, Array, Array]:
        """A foot's times, places, turns and heels with a step wherever it stands elsewhere in a pose than in the key
        beside that: the left foot steps first.
        """
        held = [times, places, turns, heels]
        for index in range(len(times) - 2, -1, -1):
            pair = self._entries[first + index : first + index + 2]
            far = float(np.linalg.norm(np.diff(places[index : index + 2, :2], axis=0)))
            if far < STAYS or all(entry.pose is None for entry in pair):
                continue
            span = times[index + 1] - times[index]
            knots = times[index] + span * np.array(STEPPING[side])
            middle = [0.5 * (each[index] + each[index + 1]) for each in (places, turns, heels)]
            middle[0] = middle[0] + [0.0, 0.0, min(LIFTED[0] * far, LIFTED[1])]
            for place, (each, half) in enumerate(zip((places, turns, heels), middle, strict=True), 1):
                held[place] = np.insert(held[place], index + 1, [each[index], half, each[index + 1]], axis=0)
            held[0] = np.insert(held[0], index + 1, knots)
        return held[0], held[1], held[2], held[3]

    def _ramp(self, limb: int, bears: list[bool], edge: int, step: int) -> float:
        """Seconds in which a hold is taken or left: at most half of those in which the limb is free, and no longer than
        it can reach from a body that flies off.
        """
        free = edge + step
        while 0 <= free < len(bears) and not bears[free]:
            free += step
        if not 0 <= edge + step < len(bears):
            return 0.0
        far = self._times[np.clip(free, 0, len(bears) - 1)]
        longest = min(RAMP, 0.48 * abs(float(far - self._times[edge])))
        speed = max(
            (
                float(np.linalg.norm(flight.leaving if step > 0 else flight.arriving))
                for flight in self._flights
                if edge == (flight.start if step > 0 else flight.end)
            ),
            default=0.0,
        )
        if limb < 2 and speed > 0.0:
            longest = min(longest, max(self._slack(edge, limb) / (LAG * speed), SHORTEST))
        return longest

    def _slack(self, index: int, side: int) -> float:
        """How much longer a standing leg can become, in metres."""
        thigh, shin = (
            self._skeleton.length(f"{SIDES[side]}{first}", f"{SIDES[side]}{second}")
            for first, second in (("UpperLeg", "LowerLeg"), ("LowerLeg", "Foot"))
        )
        bend = np.radians(self._laid[index].angles[INDEX[f"{SIDES[side]}LowerLeg"], 0])
        return float(thigh + shin - np.sqrt(thigh**2 + shin**2 + 2.0 * thigh * shin * np.cos(bend)))


@dataclass(frozen=True)
class _Shares:
    """How much of a turn (N, 3) is done at shares of a flight; `paces` are its slopes."""

    at: Array
    done: Array
    paces: Array

    @property
    def ends(self) -> tuple[Array, Array]:
        return self.paces[0], self.paces[-1]

    def __call__(self, share: Array) -> Array:
        return hermite(self.at, self.done, self.paces)(share)


def body_runs(laid: list[Laid]) -> list[tuple[int, int]]:
    """First and last keys of spans in which the body rests on something."""
    resting = [index for index, key in enumerate(laid) if key.body]
    starts = [index for index in resting if index - 1 not in resting]
    ends = [index for index in resting if index + 1 not in resting]
    return list(zip(starts, ends, strict=True))


def _airborne(laid: list[Laid]) -> list[tuple[int, int]]:
    """The keys from which the body flies, and at which it lands."""
    return [
        (start, next(index for index in range(start + 1, len(laid)) if not laid[index].flying))
        for start in range(len(laid) - 1)
        if not laid[start].flying and laid[start + 1].flying
    ]


def _segments(places: Array) -> Array:
    """The segments' centres (N, G, 3)."""
    starts = places[:, [INDEX[segment.start] for segment in SEGMENTS]]
    ends = places[:, [INDEX[segment.end] for segment in SEGMENTS]]
    along = np.array([segment.along for segment in SEGMENTS])[None, :, None]
    middles: Array = starts + along * (ends - starts)
    return middles


def _fall(place: Array, velocity: Array) -> Path:
    return lambda at: place + velocity * at[:, None] + np.array([0.0, 0.0, -0.5 * GRAVITY]) * at[:, None] ** 2


def _since(path: Path, start: float) -> Path:
    return lambda at: path(at + start)


def _least_jerk(first: tuple[Array, Array, Array], last: tuple[Array, Array, Array], duration: float) -> Path:
    curves = [
        Quintic(
            (float(first[0][axis]), float(first[1][axis]), float(first[2][axis])),
            (float(last[0][axis]), float(last[1][axis]), float(last[2][axis])),
            duration,
        )
        for axis in range(3)
    ]
    return lambda at: np.stack([curve(at) for curve in curves], axis=-1)


def _slope(path: Path, at: Array) -> Array:
    slope: Array = (path(at + STEP) - path(at - STEP)) / (2 * STEP)
    return slope
