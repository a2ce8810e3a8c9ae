"""Cut the faces of the site into small WOFF2 slices and write assets/fonts.css.

Run by hand, never by the build:

    python3 subset.py --fonts DIR

DIR holds the four TrueType files named in FACES; README.md says where they come from. An ordinary
page needs only the first slices, which hold the characters of frequent.txt. To choose these anew,
add `--words FILE [--texts DIR ...]`: a word list with counts, and folders with texts of the award.
"""

import argparse
import collections
import hashlib
import pathlib
import sys

from fontTools import subset
from fontTools.ttLib import TTFont

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE.parent / "assets"

# (file, css family, css weight, short name)
FACES = [
    ("NotoSansSC_400Regular.ttf", "Noto Sans SC", 400, "sans-400"),
    ("NotoSansSC_600SemiBold.ttf", "Noto Sans SC", 600, "sans-600"),
    ("NotoSerifSC_600SemiBold.ttf", "Noto Serif SC", 600, "serif-600"),
    ("NotoSerifSC_400Regular.ttf", "Noto Serif SC", 400, "serif-400"),
]

# How many Han characters each frequent slice holds.
FREQUENT = [128] * 18
# The rare rest is cut by code point, about so many to a slice, so that one coarse range names it.
RARE = 150

LATIN = (
    set(range(0x20, 0x7F))
    | set(range(0xA0, 0x180))
    | {0x1CD, 0x1CE, 0x1CF, 0x1D0, 0x1D1, 0x1D2, 0x1D3, 0x1D4, 0x1D6, 0x1D8, 0x1DA, 0x1DC}
    | {0x2013, 0x2022, 0x2032, 0x2033, 0x20AC, 0x2122, 0x2212}
)
# Full-width punctuation goes with the first Han slice: a page that needs one needs the other.
PUNCTUATION = set(range(0x3000, 0x3020)) | set(range(0xFF00, 0xFF61)) | {
    0x2014, 0x2018, 0x2019, 0x201C, 0x201D, 0x2026, 0x2025, 0x2E3A, 0x30FB, 0xFFE5, 0x3007,
}
# The same code point is full-width in Chinese text and narrow in English ("Mayor’s"). These get
# a family of their own, which the style sheet puts first for English.
WEST = [0xA7, 0xB1, 0xB7, 0xD7, 0xF7, 0x2014, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2026, 0x2260, 0x2264, 0x2265]
# The space left and right of a sign that has no narrow form in the font, in units of 1/1000 em.
BEARING = 60
DOT = 0.7
# Characters of personal and firm names that GB 2312 lacks.
NAMES = (
    "喆堃珺昇翀镕婳烜璟瑄玥珮旸昉昳晞炘焜煊犇祎禤竑翾芃菂蓥赟赪钜镫顗颢颙骁骉鲲龑靓靚彧旻昫昶晗晟暐曈朸杺栩桉梽楠槿櫆歆毓沄沚沨泇洺浠浥涢淏"
    "湉湜溦滢潆澍瀚灏炆炜烽焱煜熙燚玘玙玠珅珂珉珩珣珲琎琛琤琨琬琰瑀瑗瑢璇璐璠璨瓒甯畯皓睿砺碁磊祉祐祯禔禛禹稹稷筱箐簃綦绚罡羿翎翙翯聿"
    "芊芮芸苡茗茜荞荟莘莳菁菀萱葳蒨蓁蔚蕙蕴薇虓蘅蠡衎袆裎訚诏诩谌谞豆赓轩轶逄逯邬邰郄郏郗郜郦鄢鄯酆钊钏钖钤钲铄铖铠锳锴锽镒镡镭闫闿阆"
    "隽雯雱霁霈霏靖韫韬韶顼颉颋颛飏飒馨骐骕骞骥魁鲍鸢鸾鹍麒麓麾黛黟鼐齐龢㛃㧑㮾㸆䶮䲠淼焘喆邕冮卬祃甪"
)


def gb2312():
    han, other = set(), set()
    for high in range(0xA1, 0xF8):
        for low in range(0xA1, 0xFF):
            try:
                point = ord(bytes([high, low]).decode("gb2312"))
            except UnicodeDecodeError:
                continue
            (han if high >= 0xB0 else other).add(point)
    return han, other


def frequent():
    """The frequent characters, one slice a line. The file is kept so that slices stay the same."""
    return [set(map(ord, line)) for line in (HERE / "frequent.txt").read_text("utf-8").split()]


def choose(words, texts, wanted):
    """Writes frequent.txt anew: characters by how often they are met, the award's texts first."""
    count = collections.Counter()
    for line in pathlib.Path(words).read_text("utf-8").splitlines():
        parts = line.split(" ")
        for character in parts[0]:
            count[ord(character)] += int(parts[1])
    heaviest = max(count.values())
    near = collections.Counter()
    for folder in texts:
        for path in sorted(pathlib.Path(folder).rglob("*")):
            if path.suffix in {".md", ".toml", ".json", ".rs"}:
                near.update(ord(c) for c in path.read_text("utf-8", "ignore"))
    for point, seen in near.items():
        count[point] += heaviest * seen // 20
    order = sorted(wanted, key=lambda p: (-count[p], p))
    lines, start = [], 0
    for size in FREQUENT:
        lines.append("".join(map(chr, sorted(order[start : start + size]))))
        start += size
    (HERE / "frequent.txt").write_text("\n".join(lines) + "\n", "utf-8")


def ranges(points):
    """Sorted code points as a CSS unicode-range."""
    parts, run = [], []
    for point in sorted(points) + [None]:
        if run and (point is None or point != run[-1] + 1):
            parts.append(f"U+{run[0]:x}" if len(run) == 1 else f"U+{run[0]:x}-{run[-1]:x}")
            run = []
        if point is not None:
            run.append(point)
    return ",".join(parts)


def cut(source, points, target):
    options = subset.Options()
    options.flavor = "woff2"
    options.layout_features = ["kern", "liga", "ccmp", "locl", "palt", "halt", "chws", "mark", "tnum", "lnum"]
    options.hinting = False
    options.notdef_outline = True
    options.drop_tables += ["vhea", "vmtx", "STAT", "DSIG", "gasp", "prep", "fpgm", "cvt "]
    options.name_IDs = [0, 1, 2, 13, 14]
    font = subset.load_font(str(source), options)
    have = set(font.getBestCmap())
    points = points & have
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=points)
    cutter.subset(font)
    # A fixed date keeps the same input giving the same bytes.
    font.recalcTimestamp = False
    subset.save_font(font, str(target), options)
    return points


def narrow(source, target):
    """The signs of WEST in their proportional form, as a font of their own."""
    font = TTFont(str(source))
    forms = {}
    for record in font["GSUB"].table.FeatureList.FeatureRecord:
        if record.FeatureTag == "pwid":
            for index in record.Feature.LookupListIndex:
                for table in font["GSUB"].table.LookupList.Lookup[index].SubTable:
                    forms.update(getattr(table, "ExtSubTable", table).mapping)
    tables = [table for table in font["cmap"].tables if table.isUnicode()]
    best, metrics, outlines = font.getBestCmap(), font["hmtx"], font["glyf"]
    done = set()
    for point in WEST:
        name = best[point]
        if name in forms:
            for table in tables:
                if point in table.cmap:
                    table.cmap[point] = forms[name]
            continue
        glyph, (width, _) = outlines[name], metrics[name]
        if name in done or width < 950 or point == 0x2014 or glyph.isComposite():
            continue
        done.add(name)
        if point == 0xB7:
            # The full-width dot is as heavy as a bullet; between words it should be a dot.
            middle = (glyph.yMin + glyph.yMax) / 2
            glyph.coordinates.translate((0, -middle))
            glyph.coordinates.scale((DOT, DOT))
            glyph.coordinates.translate((0, middle))
            glyph.coordinates.toInt()
            glyph.recalcBounds(outlines)
        extent = glyph.xMax - glyph.xMin
        glyph.coordinates.translate((BEARING - glyph.xMin, 0))
        glyph.recalcBounds(outlines)
        metrics[name] = (extent + 2 * BEARING, BEARING)
    plain = target.with_suffix(".ttf")
    font.recalcTimestamp = False
    for table in ("GSUB", "GPOS", "vmtx", "vhea"):
        if table in font:
            del font[table]
    font.save(str(plain))
    kept = cut(plain, set(WEST), target)
    plain.unlink()
    return kept


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fonts", required=True)
    parser.add_argument("--words")
    parser.add_argument("--texts", nargs="*", default=[])
    options = parser.parse_args()

    han, other = gb2312()
    wanted = han | {ord(c) for c in NAMES}
    if options.words:
        choose(options.words, options.texts, wanted)
    lines = frequent()
    unwanted = (
        set(range(0x3040, 0x3130)) | set(range(0x0400, 0x0500)) | set(range(0x2500, 0x2580))
    )
    symbols = (other - LATIN - PUNCTUATION - unwanted) | {0x2190, 0x2191, 0x2192, 0x2193, 0x2713, 0x2717}

    target = OUT / "fonts"
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("*.woff2"):
        old.unlink()
    sheet = ["/* Written by fonts-src/subset.py. Noto Sans SC and Noto Serif SC, SIL OFL 1.1: fonts/OFL.txt */"]
    total = 0
    slices = []
    rare = sorted(wanted.difference(*lines))
    parts = max(1, round(len(rare) / RARE))
    edges = [rare[len(rare) * i // parts] for i in range(parts)] + [0xA000]
    edges[0] = min(rare[0], 0x3400)
    for i in range(parts):
        points = {p for p in rare if edges[i] <= p < edges[i + 1]}
        slices.append((f"{i + len(lines):02}", points, f"U+{edges[i]:x}-{edges[i + 1] - 1:x}"))
    for number, part in enumerate(lines):
        slices.append((f"{number:02}", part | PUNCTUATION if number == 0 else part, None))
    slices += [("sym", symbols, None), ("latin", LATIN, None)]

    # Where ranges overlap the later rule is asked first, so the coarse ranges of the rare slices
    # must stand before the exact ones of the frequent slices.
    slices.append(("west", None, None))
    for name, points, coarse in slices:
        for file, family, weight, short in FACES:
            path = target / f"{short}-{name}.woff2"
            source = pathlib.Path(options.fonts) / file
            if points is None:
                kept = narrow(source, path)
                family = family.replace("Noto", "Heng").replace("SC", "West")
            else:
                kept = cut(source, points, path)
            total += path.stat().st_size
            # The name stays, the query changes with the bytes, so the file may be cached for ever.
            stamp = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
            sheet.append(
                f'@font-face{{font-family:"{family}";font-style:normal;font-weight:{weight};font-display:swap;'
                f"src:url(fonts/{path.name}?v={stamp}) format(\"woff2\");unicode-range:{coarse or ranges(kept)}}}"
            )
            print(path.name, len(kept), path.stat().st_size, file=sys.stderr)
    (OUT / "fonts.css").write_text("\n".join(sheet) + "\n", "utf-8")
    print("total", total, file=sys.stderr)


main()
