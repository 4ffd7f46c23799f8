"""The table, the ROC curves and the sentences under them, on scores made up by hand."""

import numpy as np
import pandas as pd
import pytest

from nap_core import methods, metrics
from nap_core.analysis import bootstrap
from nap_core.analysis.comparison import AVERAGE, compare_images, disagreement, scoreboard, thinned_curve
from nap_core.analysis.evaluation import MethodScores
from nap_core.figures import colours
from nap_core.figures.compare_methods import (
    caption,
    correlation_picture,
    disagreement_reading,
    fpr_curves,
    heat_table,
    interval_picture,
    least_width,
    pareto_picture,
    roc_curves,
)
from nap_core.figures.compare_methods.lines import WITH_NAP
from nap_core.figures.compare_methods.table import GOOD, LETTERS, POOR
from nap_core.figures.palette import ID_COLOUR, NEUTRAL, OOD_COLOURS
from tests.sentences import Says

TITLES = {"cifar10": "CIFAR-10", "mnist": "MNIST", "fashion-mnist": "Fashion-MNIST", "gaussian-noise": "Gaussian noise"}
KNOWN = np.arange(1.0, 21.0)  # the threshold of FPR95 is 2


def scores(method: str, w: float | None = None, known=KNOWN, **unknown: list[float]) -> MethodScores:
    named = {name.replace("_", "-"): np.array(values, float) for name, values in unknown.items()}
    return MethodScores(method, w, np.array(known, float), named)


def accepted(share: float, of: int = 10) -> list[float]:
    """Scores of ``of`` OOD images, a ``share`` of which reaches the threshold 2."""
    reach = round(share * of)
    return [5.5] * reach + [0.5] * (of - reach)


def board_of(rows: list[MethodScores], metric: str = "fpr95"):
    results = [
        {
            "method": row.method,
            "ood": ood,
            "fpr95": metrics.fpr_at_tpr(row.id, values),
            "auroc": metrics.auroc(row.id, values),
        }
        for row in rows
        for ood, values in row.ood.items()
    ]
    return scoreboard(pd.DataFrame(results), metric)


def table_of(rows: list[MethodScores], metric: str = "fpr95", opened: tuple[str, str] | None = None):
    board = board_of(rows, metric)
    palette = colours("cifar10", board.datasets)
    return heat_table(board, rows, TITLES, palette, opened or (board.methods[0], board.columns[0]))


ROWS = [
    scores("nap", mnist=accepted(1), fashion_mnist=accepted(0.2)),
    scores("energy", mnist=accepted(0.4), fashion_mnist=accepted(0.6)),
    scores("nap+energy", 0.4, mnist=accepted(0.6), fashion_mnist=accepted(0.1)),
]


class TestTable:
    def test_cells_print_percent_with_one_decimal_and_marks_beside_colour(self) -> None:
        text = table_of(ROWS).figure.data[0].text
        assert [list(row) for row in text] == [
            ["100.0", "<u>20.0</u>", "60.0"],
            ["<b>40.0</b>", "60.0", "<u>50.0</u>"],
            ["<u>60.0</u>", "<b>10.0</b>", "<b>35.0</b>"],
        ]

    def test_equals_share_their_mark_and_a_column_without_differences_has_none(self) -> None:
        rows = [scores(name, mnist=accepted(0.3), fashion_mnist=accepted(0.1)) for name in ("nap", "msp")]
        rows.append(scores("energy", mnist=accepted(0.3), fashion_mnist=accepted(0.2)))
        text = table_of(rows).figure.data[0].text
        assert [row[0] for row in text] == ["30.0"] * 3
        assert [row[1] for row in text] == ["<b>10.0</b>", "<b>10.0</b>", "<u>20.0</u>"]

    @pytest.mark.parametrize("metric", ["fpr95", "auroc"])
    def test_greener_is_better(self, metric: str) -> None:
        figure = table_of(ROWS, metric).figure
        board, heat = board_of(ROWS, metric), np.array(figure.data[0].z)
        assert (figure.data[0].colorscale[0][1], figure.data[0].colorscale[1][1]) == (POOR, GOOD)
        for column in range(heat.shape[1]):
            assert (
                np.argsort(-heat[:, column], kind="stable") == np.argsort(board.places[:, column], kind="stable")
            ).all()
        assert heat.min() >= 0
        assert heat.max() <= 1

    def test_auroc_of_a_coin_toss_or_worse_is_as_poor_as_can_be(self) -> None:
        rows = [scores("nap", mnist=[99]), scores("msp", known=[1, 1], mnist=[1])]
        assert np.array(table_of(rows, "auroc").figure.data[0].z).tolist() == [[0], [0]]

    def test_every_cell_can_be_clicked_and_says_what_it_is(self) -> None:
        figure = table_of(ROWS).figure
        cells = figure.data[1]
        found = {(x, y): data for x, y, data in zip(cells.x, cells.y, cells.customdata, strict=True)}
        assert len(found) == 9
        assert list(found[0, 0]) == ["nap", "mnist", "NAP", "MNIST", "100.0\xa0%", ""]
        assert list(found[1, 2])[:2] == ["nap+energy", "fashion-mnist"]
        assert list(found[1, 2])[2:] == [
            "NAP+Energy (w = 0.4)",
            "Fashion-MNIST",
            "10.0\xa0%",
            ", the best of this column",
        ]
        assert list(found[2, 1])[1:] == [AVERAGE, "Energy", "average", "50.0\xa0%", ", the second best of this column"]
        assert cells.unselected.marker.opacity == cells.selected.marker.opacity == cells.marker.opacity == 0
        assert figure.layout.clickmode == "event+select"

    def test_rows_and_columns_are_named_in_order(self) -> None:
        layout = table_of(ROWS).figure.layout
        assert list(layout.yaxis.ticktext) == ["NAP", "Energy", "NAP+Energy"]
        assert layout.yaxis.range[0] > layout.yaxis.range[1], "the first method is on top"
        mnist, fashion, average = layout.xaxis.ticktext
        assert OOD_COLOURS[0] in mnist
        assert mnist.endswith("MNIST")
        assert OOD_COLOURS[1] in fashion
        assert "Fashion-<br>MNIST" in fashion
        assert average == "<b>Average</b>"

    def test_opened_cell_is_framed(self) -> None:
        frame = table_of(ROWS, opened=("energy", AVERAGE)).figure.layout.shapes[0]
        assert (frame.x0 + frame.x1) / 2 == pytest.approx(2)
        assert (frame.y0 + frame.y1) / 2 == pytest.approx(1)

    def test_height_follows_the_methods_and_width_the_datasets(self) -> None:
        assert table_of(ROWS).figure.layout.height - table_of(ROWS[:2]).figure.layout.height == 38
        assert least_width(board_of(ROWS)) > least_width(board_of([scores("nap", mnist=[1])]))

    def test_numbers_are_shares_one_row_a_cell(self) -> None:
        table = table_of(ROWS, "auroc").table
        assert len(table) == 9
        assert list(table.columns) == ["method", "w", "ood", "auroc", "place"]
        row = table[(table["method"] == "nap+energy") & (table["ood"] == "mnist")].iloc[0]
        assert row["w"] == 0.4
        assert row["auroc"] == metrics.auroc(KNOWN, accepted(0.6))

    def test_letters_are_legible_on_every_cell(self) -> None:
        for share in np.linspace(0, 1, 21):
            mixed = [round((1 - share) * a + share * b) for a, b in zip(rgb(POOR), rgb(GOOD), strict=True)]
            assert contrast(rgb(LETTERS), mixed) >= 4.5


def rgb(colour: str) -> list[int]:
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]


def contrast(one: list[int], other: list[int]) -> float:
    """WCAG 2: of two sRGB colours."""

    def luminance(colour: list[int]) -> float:
        linear = [c / 12.92 if (c := value / 255) <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for value in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


class TestTableReading:
    def test_best_on_average_and_who_beats_it_where(self, says: Says) -> None:
        says(table_of(ROWS).reading, "NAP+Energy lowest FPR95 35.0 Energy 50.0 1 2 Energy MNIST")

    def test_best_everywhere(self, says: Says) -> None:
        rows = [scores("nap", mnist=accepted(0), fashion_mnist=accepted(0.1)), ROWS[1]]
        says(table_of(rows).reading, "NAP lowest FPR95 5.0 Energy 50.0 every")

    def test_best_on_average_and_nowhere_else(self, says: Says) -> None:
        rows = [
            scores("nap", mnist=accepted(0.2), fashion_mnist=accepted(0.2)),
            scores("msp", mnist=accepted(0.1), fashion_mnist=accepted(1)),
            scores("energy", mnist=accepted(1), fashion_mnist=accepted(0.1)),
        ]
        says(table_of(rows).reading, "NAP lowest FPR95 20.0 MSP Energy 55.0 none 2 MSP MNIST Energy Fashion-MNIST")

    def test_several_share_the_lead(self, says: Says) -> None:
        rows = [scores(name, mnist=accepted(0.1), fashion_mnist=accepted(0.1)) for name in ("nap", "msp")]
        says(table_of([*rows, ROWS[1]]).reading, "NAP MSP lowest FPR95 10.0 Energy 50.0")

    def test_one_dataset(self, says: Says) -> None:
        rows = [
            scores("nap", mnist=accepted(0.1)),
            scores("msp", mnist=accepted(0.3)),
            scores("energy", mnist=accepted(0.3)),
        ]
        best, others = (100 * metrics.auroc(KNOWN, accepted(share)) for share in (0.1, 0.3))
        says(table_of(rows, "auroc").reading, f"NAP highest AUROC MNIST {best:.1f} MSP Energy {others:.1f}")

    def test_nobody_stands_out(self, says: Says) -> None:
        rows = [scores(name, known=[1], mnist=[1]) for name in ("nap", "msp")]
        says(table_of(rows).reading, "FPR95 100.0 MNIST")


class TestCaption:
    RESULTS = pd.DataFrame(
        {"id": "cifar10", "n_id": 1000, "ood": ["mnist", "fashion-mnist"], "n_ood": [500, 500], "id_accuracy": 0.9234}
    ).assign(accuracy_warning="")

    def test_images_and_accuracy(self, says: Says) -> None:
        says(caption(self.RESULTS, TITLES), "1,000 CIFAR-10 92.3 500")

    def test_a_suspicious_accuracy_is_marked(self, says: Says) -> None:
        results = self.RESULTS.assign(accuracy_warning="ID accuracy is 9 %.", id_accuracy=0.09)
        says(caption(results, TITLES), "1,000 CIFAR-10 9.0 chance record 500")

    def test_one_dataset(self, says: Says) -> None:
        says(caption(self.RESULTS.head(1), TITLES), "1,000 CIFAR-10 92.3 500")

    def test_datasets_of_different_size_are_listed(self, says: Says) -> None:
        results = self.RESULTS.assign(n_ood=[500, 1200])
        says(caption(results, TITLES), "1,000 CIFAR-10 92.3 500 MNIST 1,200 Fashion-MNIST")

    def test_unknown_accuracy_is_left_out(self, says: Says) -> None:
        found = caption(self.RESULTS.assign(id_accuracy=float("nan")), TITLES)
        says(found, "1,000 CIFAR-10 500")


class TestRoc:
    def lines(self, figure) -> dict[str, object]:
        return {trace.name: trace for trace in figure.data if trace.mode == "lines"}

    def dots(self, figure) -> dict[str, object]:
        return {trace.legendgroup: trace for trace in figure.data if trace.mode == "markers"}

    def test_curves_are_those_of_the_scores(self) -> None:
        figure = roc_curves(ROWS, ("mnist",), "nap", TITLES).figure
        lines = self.lines(figure)
        assert list(lines) == ["NAP", "Energy", "NAP+Energy (w = 0.4)"]
        for row, line in zip(ROWS, lines.values(), strict=True):
            fpr, tpr = thinned_curve(*metrics.roc(row.id, row.ood["mnist"]))
            drawn = set(zip(np.round(line.x, 12), np.round(line.y, 12), strict=True))
            corners = set(zip(np.round(fpr, 12), np.round(tpr, 12), strict=True))
            assert corners <= drawn
            assert np.trapezoid(line.y, line.x) == pytest.approx(metrics.auroc(row.id, row.ood["mnist"]))

    def test_there_is_always_a_point_to_hover_over(self) -> None:
        line = self.lines(roc_curves(ROWS, ("mnist",), "nap", TITLES).figure)["NAP"]
        assert np.hypot(np.diff(line.x), np.diff(line.y)).max() <= 0.0201

    def test_dots_are_the_operating_points(self) -> None:
        dots = self.dots(roc_curves(ROWS, ("mnist", "fashion-mnist"), "nap", TITLES).figure)
        assert {name: (dot.x[0], dot.y[0]) for name, dot in dots.items()} == {
            "nap": (0.6, 0.95),
            "energy": (0.5, 0.95),
            "nap+energy": (0.35, 0.95),
        }
        assert "FPR95 60.0\xa0%" in dots["nap"].hovertemplate
        assert "threshold 2" in dots["nap"].hovertemplate

    def test_opened_method_is_thickest_and_on_top(self) -> None:
        lines = self.lines(roc_curves(ROWS, ("mnist",), "energy", TITLES).figure)
        assert max(lines, key=lambda name: lines[name].line.width) == "Energy"
        assert max(lines, key=lambda name: lines[name].zorder) == "Energy"

    def test_colour_says_nap_and_dash_says_with_what(self) -> None:
        lines = self.lines(roc_curves([*ROWS, scores("msp", mnist=[1])], ("mnist",), "nap", TITLES).figure)
        assert [line.line.color for line in lines.values()] == [WITH_NAP, NEUTRAL, WITH_NAP, NEUTRAL]
        dashes = {name: line.line.dash for name, line in lines.items()}
        assert dashes["Energy"] == dashes["NAP+Energy (w = 0.4)"]
        assert len(set(dashes.values())) == 3
        assert not {WITH_NAP, NEUTRAL} & {ID_COLOUR, *OOD_COLOURS}

    def test_many_images_are_drawn_with_few_points(self) -> None:
        rng = np.random.default_rng(0)
        row = scores("msp", known=rng.normal(1, 1, 20_000), mnist=rng.normal(0, 1, 20_000))
        line = self.lines(roc_curves([row], ("mnist",), "msp", TITLES).figure)["MSP"]
        assert len(line.x) < 1000
        assert np.trapezoid(line.y, line.x) == pytest.approx(metrics.auroc(row.id, row.ood["mnist"]), abs=5e-4)

    def test_numbers_are_the_kept_points_and_the_operating_points(self) -> None:
        table = roc_curves(ROWS, ("mnist", "fashion-mnist"), "nap", TITLES).table
        assert set(table["ood"]) == {"mnist+fashion-mnist"}
        operating = table[table["point"] == "FPR95"]
        assert operating["fpr"].tolist() == [0.6, 0.5, 0.35]
        curve = table[(table["point"] == "curve") & (table["method"] == "energy")]
        assert np.trapezoid(curve["tpr"], curve["fpr"]) == pytest.approx(metrics.auroc(KNOWN, ROWS[1].pooled))

    def test_reading(self, says: Says) -> None:
        areas = [100 * metrics.auroc(KNOWN, row.ood["mnist"]) for row in ROWS]
        says(
            roc_curves(ROWS, ("mnist",), "nap", TITLES).reading,
            f"MNIST AUROC {areas[0]:.1f} NAP {areas[1]:.1f} Energy 95 40.0 Energy 100.0 NAP",
        )

    def test_reading_of_all_together_of_ties_and_of_one_method(self, says: Says) -> None:
        says(
            roc_curves(ROWS, ("mnist", "fashion-mnist"), "nap", TITLES).reading,
            "both AUROC 85.0 NAP 91.2 NAP+Energy 95 35.0 NAP+Energy 60.0 NAP",
        )
        alike = [scores(name, known=[1, 2], mnist=[0]) for name in ("nap", "msp")]
        says(roc_curves(alike, ("mnist",), "nap", TITLES).reading, "MNIST AUROC 100.0 every 95 0.0 every")
        says(roc_curves(alike[:1], ("mnist",), "nap", TITLES).reading, "MNIST AUROC 100.0 NAP 95 0.0 NAP")

    def test_one_image_each_and_constant_scores(self) -> None:
        for unknown in ([1.0], [1.0] * 5):
            figure = roc_curves([scores("nap", known=[1.0], mnist=unknown)], ("mnist",), "nap", TITLES).figure
            dot = self.dots(figure)["nap"]
            assert (dot.x[0], dot.y[0]) == (1, 1)


class TestDisagreementReading:
    @staticmethod
    def reading(a: MethodScores, b: MethodScores) -> str:
        return disagreement_reading(disagreement(compare_images(a, b, "cifar10")), a.title, b.title)

    def test_the_winner(self, says: Says) -> None:
        a, b = scores("energy", mnist=[0, 0, 5, 5]), scores("nap", mnist=[0, 0, 0, 0])
        says(self.reading(a, b), "Energy NAP 2 24 NAP")
        a = scores("energy", mnist=[0, 5, 5, 5])
        b = scores("nap", mnist=[5, 0, 0, 0])
        says(self.reading(a, b), "Energy NAP 4 24 NAP 3")

    def test_a_draw(self, says: Says) -> None:
        a, b = scores("energy", mnist=[0, 5]), scores("nap", mnist=[5, 0])
        says(self.reading(a, b), "Energy NAP 2 22 1")

    def test_one_image(self, says: Says) -> None:
        says(self.reading(scores("energy", mnist=[0]), scores("nap", mnist=[5])), "Energy NAP 1 21 Energy")

    def test_agreement(self, says: Says) -> None:
        a = scores("energy", mnist=[0])
        says(self.reading(a, a), "Energy Energy 21")


def random_rows(count: int) -> list[MethodScores]:
    """Methods on made-up scores, two OOD datasets each, the later ones worse."""
    draw = np.random.default_rng(0)
    names = [name for name, record in methods.RECORDS.items() if not record.prior]
    return [
        MethodScores(
            name,
            None,
            draw.normal(2, 1, 60),
            {"mnist": draw.normal(position / 20, 1, 40), "fashion-mnist": draw.normal(0, 1, 40)},
        )
        for position, name in enumerate(names[:count])
    ]


class TestManyLines:
    def test_a_few_are_all_named(self) -> None:
        figure = roc_curves(random_rows(8), ["mnist"], "msp", TITLES).figure
        assert sum(trace.mode == "lines" and trace.showlegend for trace in figure.data) == 8

    def test_of_many_the_opened_and_the_best_are_named(self) -> None:
        rows = random_rows(14)
        areas = {row.method: metrics.auroc(row.id, row.ood["mnist"]) for row in rows}
        worst = min(areas, key=areas.__getitem__)
        for picture in (roc_curves(rows, ["mnist"], worst, TITLES), fpr_curves(rows, ["mnist"], worst, TITLES)):
            named = {trace.name for trace in picture.figure.data if trace.mode == "lines" and trace.showlegend}
            best = sorted(areas, key=areas.__getitem__)[-5:]
            assert named == {methods.title(name) for name in [*best, worst]}


class TestFprCurves:
    def test_curve_meets_fpr95_and_reading_names_the_best_at_both_ends(self, says: Says) -> None:
        rows = random_rows(3)
        picture = fpr_curves(rows, ["mnist", "fashion-mnist"], "msp", TITLES)
        table = picture.table.set_index(["method", "tpr"])["fpr"]
        for row in rows:
            assert table[row.method, 0.95] == pytest.approx(metrics.fpr_at_tpr(row.id, row.pooled))
        for tpr in (0.8, 0.99):
            at = {row.title: metrics.fpr_at_tpr(row.id, row.pooled, tpr) for row in rows}
            assert min(at, key=at.__getitem__) in picture.reading
            assert f"{100 * min(at.values()):.1f}\xa0%" in picture.reading
        says(picture.reading, "both MSP 80 10.0 MaxLogit 99 52.5")


def accuracy_table(*lines: tuple[str, float, float]) -> pd.DataFrame:
    return pd.DataFrame(
        [(name, accuracy, auroc + shift) for name, accuracy, auroc in lines for shift in (-0.01, 0.01)],
        columns=["method", "id_accuracy", "auroc"],
    )


class TestPareto:
    def test_front_and_reading(self, says: Says) -> None:
        table = accuracy_table(("nap", 0.9, 0.8), ("react", 0.88, 0.95), ("dice", 0.88, 0.9), ("ash-s", 0.5, 0.6))
        picture = pareto_picture(table)
        assert picture.table.set_index("method")["front"].to_dict() == {
            "nap": True,
            "react": True,
            "dice": False,
            "ash-s": False,
        }
        assert list(picture.figure.data[0].x) == [0.88, 0.9]
        says(picture.reading, "ReAct highest AUROC 95.0 88.0 2.0 highest NAP 80.0 90.0")

    def test_every_point_has_a_label_and_none_covers_another(self) -> None:
        names = [name for name, record in methods.RECORDS.items() if not record.prior][:25]
        table = accuracy_table(*((name, 0.9, 0.9 + position / 1000) for position, name in enumerate(names)))
        figure = pareto_picture(table).figure
        notes = figure.layout.annotations
        assert {note.text.replace("<b>", "").replace("</b>", "") for note in notes} == set(map(methods.title, names))
        low, high = figure.layout.yaxis.range
        plot = figure.layout.height - 90
        heights = sorted((note.y - low) / (high - low) * plot - note.ay for note in notes)
        assert np.diff(heights).min() > 14.9
        assert heights[0] >= -0.1
        assert heights[-1] <= plot

    def test_unknown_classes_leave_nothing_to_draw(self) -> None:
        assert pareto_picture(accuracy_table(("nap", float("nan"), 0.8))) is None


class TestCorrelation:
    def test_most_and_least_alike_are_named(self, says: Says) -> None:
        values = np.arange(20.0)
        rows = [
            MethodScores(name, None, scored[:10], {"mnist": scored[10:]})
            for name, scored in (("nap", values), ("msp", values**3), ("energy", -values), ("gen", np.ones(20)))
        ]
        picture = correlation_picture(rows)
        says(picture.reading, "20 NAP MSP 1.00 NAP Energy −1.00")
        assert picture.figure.data[0].text[3][0] == "–"
        assert list(picture.table.columns) == ["method", "nap", "msp", "energy", "gen"]

    def test_one_method_has_nobody_to_agree_with(self) -> None:
        assert correlation_picture(random_rows(1)) is None

    def test_of_many_the_numbers_are_in_the_hover_only(self) -> None:
        assert correlation_picture(random_rows(14)).figure.data[0].texttemplate
        assert not correlation_picture(random_rows(15)).figure.data[0].texttemplate


class TestIntervals:
    @pytest.mark.parametrize("metric", ["fpr95", "auroc"])
    def test_best_first_with_its_interval_in_the_reading(self, metric: str, says: Says) -> None:
        rows = random_rows(4)
        found = pd.concat([bootstrap.intervals(row, resamples=100) for row in rows])
        board = board_of(rows, metric)
        picture = interval_picture(board, found, AVERAGE, TITLES)
        assert picture.table["method"].tolist() == list(board.sorted_by(AVERAGE).methods)
        best = picture.table.iloc[0]
        says(picture.reading, f"95 1,000 {metric.upper()} MSP {100 * best['low']:.1f} {100 * best['high']:.1f}")
        touching = [
            methods.title(row.method)
            for row in picture.table.iloc[1:].itertuples()
            if row.low <= best["high"] and row.high >= best["low"]
        ]
        assert all(name in picture.reading for name in touching)

    def test_hover_of_the_table_tells_them(self) -> None:
        rows = random_rows(2)
        found = pd.concat([bootstrap.intervals(row, resamples=100) for row in rows])
        board = board_of(rows)
        palette = colours("cifar10", board.datasets)
        figure = heat_table(board, rows, TITLES, palette, ("msp", AVERAGE), found).figure
        cell = found.set_index(["method", "ood"]).loc[("msp", "mnist")]
        said = f"95\xa0% interval: {100 * cell['fpr95_low']:.1f}\xa0% to {100 * cell['fpr95_high']:.1f}\xa0%"
        assert said in figure.data[1].customdata[0][5]

    def test_a_table_without_the_opened_method_has_no_frame(self) -> None:
        assert not table_of(ROWS, opened=("msp", AVERAGE)).figure.layout.shapes
