"""Cut the three faces of the site into small WOFF2 slices and write assets/fonts.css.

Run by hand, never by the build:

    python3 subset.py --fonts DIR --words jieba-dict.txt [--texts DIR ...]

DIR holds the four TrueType files named in FACES; see README.md for where they come from.
The order of the slices follows how often a character is met, first in the texts of the award
itself and then in general Chinese, so that an ordinary page needs only the first few.
"""

import argparse
import collections
import hashlib
import pathlib
import sys

from fontTools import subset

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
FREQUENT = [360, 360, 400, 480, 600]
# The rare rest is cut by code point, about so many to a slice, so that one coarse range names it.
RARE = 720

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


def frequency(words, texts):
    """Characters by how often they are met: the award's own texts first."""
    count = collections.Counter()
    for line in pathlib.Path(words).read_text("utf-8").splitlines():
        parts = line.split(" ")
        for character in parts[0]:
            count[ord(character)] += int(parts[1])
    heaviest = max(count.values())
    near = collections.Counter()
    for folder in texts:
        for path in sorted(pathlib.Path(folder).rglob("*")):
            if path.suffix in {".md", ".toml", ".json", ".ftl", ".rs", ".txt"}:
                near.update(ord(c) for c in path.read_text("utf-8", "ignore"))
    for point, seen in near.items():
        count[point] += heaviest * seen // 20
    return count


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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fonts", required=True)
    parser.add_argument("--words", required=True)
    parser.add_argument("--texts", nargs="*", default=[])
    options = parser.parse_args()

    han, other = gb2312()
    wanted = han | {ord(c) for c in NAMES}
    count = frequency(options.words, options.texts)
    order = sorted(wanted, key=lambda p: (-count[p], p))
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
    rare = sorted(order[sum(FREQUENT):])
    parts = max(1, round(len(rare) / RARE))
    edges = [rare[len(rare) * i // parts] for i in range(parts)] + [0xA000]
    edges[0] = min(rare[0], 0x3400)
    for i in range(parts):
        points = {p for p in rare if edges[i] <= p < edges[i + 1]}
        slices.append((f"{i + len(FREQUENT):02}", points, f"U+{edges[i]:x}-{edges[i + 1] - 1:x}"))
    start = 0
    for number, size in enumerate(FREQUENT):
        part = set(order[start : start + size])
        slices.append((f"{number:02}", part | PUNCTUATION if number == 0 else part, None))
        start += size
    slices += [("sym", symbols, None), ("latin", LATIN, None)]

    # Where ranges overlap the later rule is asked first, so the coarse ranges of the rare slices
    # must stand before the exact ones of the frequent slices.
    for name, points, coarse in slices:
        for file, family, weight, short in FACES:
            path = target / f"{short}-{name}.woff2"
            kept = cut(pathlib.Path(options.fonts) / file, points, path)
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
