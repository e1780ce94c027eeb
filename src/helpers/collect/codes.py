"""Signs of a person that have a form of their own: expressions in linear time (RE2, by Arrow).

They read the folded text: lower case, no accents. Plates are a matter of form alone; what has a
key, or a plan of numbering by country, is looked at in numbers.py.
"""

from __future__ import annotations

WAYS = (
    r"rue|r\.|avenue|av\.?|ave|boulevard|bd\.?|bld|blvd|boul|bvd\.?|place|pl\.?|allees?|all\.?"
    r"|impasse|imp\.?|chemin|che\.?|ch\.|traverse|trav\.?|tra|montee|mtee?|cours|crs|quai|corniche"
    r"|cor|square|sq|route|rte\.?|voie|esplanade|esp|passage|pass|residence|res\.?|lotissement"
    r"|lot\.?|hlm|cite|batiment|hameau|ham\.?|faubourg|fbg|fg|sentier|ruelle|rond-point|promenade"
    r"|prom|vallon|domaine|clos|villa|parvis|escaliers?|mail|galerie|passerelle|digue|grand'?rue"
)
SPAN = r"[\s.\-/_*|;:]*"
JOINED = r"(?:\s?[.,\-]\s?|\s{0,2})"
PAIR = r"[\s.\-/_*|;:,]{0,3}"
DIGIT = "[0-9oils]"  # a letter O does for a zero, I and L for a one, where digits are many

_ADDRESS = r"(?:@|[(\[{<]\s?(?:at|a|arobase)\s?[)\]}>]|\s(?:at|arobase|arobas)\s)"
_DOT = r"(?:[.,]|\s?[(\[{<]\s?(?:dot|point)\s?[)\]}>]\s?|\s(?:point|dot)\s)"
_NETWORKS = (
    r"insta(?:gram)?|snap(?:chat)?|tik ?tok|facebook|fb|twitter|whats ?app|telegram|linkedin|twitch"
    r"|youtube|discord|steam|pseudo|login|identifiant de connexion"
)
# What an officer, a form or a card bears, told by its name and followed by digits.
_PAPERS = (
    r"ecrou|licen[cs]e|permis(?: de conduire)?|fiscal|spi|rpps|adeli|siren|siret|imei|imsi|iccid"
    r"|carte (?:pro(?:fessionnelle)?|d'identite|vitale|de sejour|bancaire|bleue)|cni|passeport"
    r"|titre de sejour|etranger|fpr|ipp"
    r"|dossier (?:mdph|caf|cpam|medical|scolaire|social)|allocataire"
    r"|num(?:ero)? (?:secu|de securite sociale)|secu|nir|ine|agdref|ants|cb|iban|rib"
)

CODES = {
    "courriel": rf"[a-z0-9_%+\-](?:[a-z0-9._%+\-]|\spoint\s)*\s?{_ADDRESS}\s?[a-z0-9\-]+"
    rf"(?:\s?{_DOT}\s?[a-z0-9\-]{{2,}})+"
    r"|[a-z0-9_%+\-][a-z0-9._%+\-]*@[a-z0-9\-]+\s[a-z]{1,8}\.[a-z]{2,4}\b"
    r"|[a-z0-9._\-]{3,}\s?(?:@|\sat\s|\sarobase\s)\s?"
    r"(?:gmail|hotmail|yahoo|orange|free|sfr|wanadoo|laposte|outlook|live|icloud)\b",
    "compte": r"\b[a-z]{2}\d{2}(?:[\s.\-]?[0-9a-z]{4}){4,6}(?:[\s.\-]?[0-9a-z]{1,3})?\b"
    r"|(?:^|[\s(:,;/])@[a-z0-9_][a-z0-9_.]{2,}"
    rf"|\b(?:{_NETWORKS})\s?(?:[:=@/]|\.com/)?\s?@?[a-z_.]*[a-z0-9_.]{{3,}}\d\b"
    rf"|\b(?:{_NETWORKS})\s?(?:[:=@/]|\.com/)\s?@?[a-z0-9_.]{{3,}}"
    r"|\bcompte\s(?:n[o°.]?|numero)\s?\d(?:[\s.\-]?\d){7,}"
    r"|(?:^|[^0-9])\d{4}[\s.\-]?(?:\d{2})?(?:[\s.\-]?[*x]{2,4}){2,3}[\s.\-]?\d{4}(?:[^0-9]|$)"
    r"|[\w.]{3,}#\d{4}(?:[^0-9]|$)|\blogin\s?[:=]?\s[a-z]\.?[a-z]{5,}$"
    r"|\b[a-z]:\\(?:users|utilisateurs)\\\S|/(?:home|users)/[a-z]"
    r"|\bhttps?://|\bwww\.|\b[a-z0-9\-]+\.(?:fr|com|me|ly|net|org|gg|io|tv)/\S+",
    "nir": rf"(?:^|[^0-9])[12378]{JOINED}\d{{2}}{JOINED}(?:0[1-9]|1[0-2]|[2-9]\d){JOINED}"
    rf"(?:\d{{2}}|2[ab]){JOINED}\d{{3}}{JOINED}\d{{3}}(?:{JOINED}\d{{2}})?(?:[^0-9]|$)",
    "identifiant": rf"\b(?:{_PAPERS})\b[^0-9]{{0,14}}\d(?:[\s.\-/]?[0-9a-z]){{3,}}"
    r"|\b(?:[0-9a-f]{2}[:\-]){5}[0-9a-f]{2}\b|\b[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}\b"
    r"|\b(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}\b|\bfe80::[0-9a-f:]+"
    r"|\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"
    r"|\b(?:android_?id|idfa|gaid|uuid|mac|ssid)\b\W{0,3}[0-9a-z\-]{6,}"
    r"|(?:^|[^0-9.])(?:10|127|172|192|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])(?:\.\d{1,3}){3}(?:[^0-9.]|$)",
    "telephone": rf"(?:\+|\b00)\s?\(?33\)?{SPAN}(?:\(\s?0\s?\)|0)?{SPAN}[1-9](?:{SPAN}\d{{2}}){{4}}"
    rf"(?:[^0-9]|$)|\(\+?\s?33\){SPAN}0?[1-9](?:{SPAN}\d{{2}}){{4}}"
    rf"|(?:^|[^0-9a-z.,+]|[^0-9.,+][a-z])[0o][\s\-/_]?[1-9]{SPAN}(?:\)\s?)?"
    rf"(?:{PAIR}{DIGIT}{{2}}){{4}}(?:[^0-9]|$)"
    r"|(?:^|[^0-9])0(?:[\s.\-]\d){9}(?:[^0-9]|$)"
    r"|(?:^|[^0-9.,])0[1-9](?:[\s.\-]?\d){8}(?:[^0-9]|$)"
    r"|(?:^|[^0-9])0\s[1-9]\d{2}\s\d{3}\s\d{3}(?:[^0-9]|$)"
    r"|\b(?:tel|telephone|portable|gsm|mobile|tph|fax|rappeler|appeler|joindre)\b\D{0,4}"
    r"(?:\d[\s.\-]?){8,}"
    r"|(?:^|[^0-9.,\-/:])[67](?:[\s.\-]?\d{2}){4}(?:[^0-9]|$)",
    "plaque": r"(?:^|[^a-z0-9])(?:ww|[a-z]{2})[\s.,\-_/*:|]{0,2}(?:\d[0-9oizl][0-9oizl]|[oizl]\d"
    r"[0-9oizl]|[oizl]{2}\d)[\s.,\-_/*:|]{0,2}[a-hj-np-z]{2}(?:[^a-z0-9]|$|[\s\-]?\d{2}\b)"
    r"|\b(?:plaque|immat[a-z]*\.?|immatriculee?|immatriculation)s?\b[\s:]*(?:[a-z]+\s){0,2}"
    r"[a-z0-9]{1,4}[\s\-.]?[a-z0-9]{1,4}[\s\-.]?[a-z0-9]{0,4}\d"
    r"|(?:plaque|immat[a-z]{0,13}?)\s?[a-z]{2}[\s\-]?\d{3}[\s\-]?[a-z]{2}"
    r"|(?:^|[^a-z0-9])[a-hj-np-tv-z]{2}\d{3}[a-hj-np-tv-z]{2}(?:gris|noir|blanc|bleu|roug|vert)"
    r"|\b(?:algerien|marocain|tunisien|espagnol|italien|allemand|belge|suisse|roumain|polonais"
    r"|anglais|britanni|portugais|neerlandais|monegasque|bulgare|etrangere|luxembourg)[a-z]*\s"
    r"[a-z]{0,3}[\s\-]?\d{1,5}[\s\-]?[a-z]{1,3}[\s\-]?\d{0,4}(?:\W|$)"
    r"|(?:^|[^0-9\-])\d{4,6}[\s\-]\d{3}[\s\-](?:[0-5]\d)(?:[^0-9\-]|$)"  # Algeria
    r"|(?:^|[^0-9])\d{1,3}\s?(?:tun\s?\d{1,4}|tu\s?\d{3,4})(?:[^0-9]|$)"  # Tunisia
    r"|(?:^|[^0-9])\d{1,5}[\s\-|]{1,3}[abdeh][\s\-|]{1,3}\d{1,2}(?:[^0-9]|$)"  # Morocco
    r"|(?:^|[^a-z0-9])(?:c|cd|k|cmd)\s\d{3}[\s\-]\d{3,4}(?:[^0-9]|$)"  # diplomats
    r"|(?:^|[^a-z0-9])\d{1,4}\s(?:c|cd|k|cmd|cc)\s\d{1,3}(?:[^0-9]|$)"
    r"|(?:^|[^a-z0-9])w\s?\d{3}\s?[a-z]{1,2}\s?\d{2}(?:[^0-9]|$)",
    "matricule": r"\b(?:matricule|matr?\.?|mle|r\.?i\.?o\.?|brassard|badge|nigend"
    r"|code agent|num(?:ero)?\.? agent|agent(?: municipal)?|gardien"
    r"|brigadier(?:[\s\-]chef)?|bc|asvp|apja|adj|opj|pm|gpx|gav|ag)"
    r"\s?(?:n[o°]?\.?|num(?:ero)?\.?|[:#\-])?\s?(?:[a-z]{1,2}-?)?\d{3,8}\b|\bag[\s\-]?\d{4,6}\b"
    r"|\b(?:indicatif|radio)\s(?:[a-z]{2}\s?)?\d{2}[a-z]\d{2}\b",
    "naissance": r"\bnee?s?\(?e?\)?\s(?:(?:le|en|vers)\s?)?[^a-z0-9]{0,3}"
    r"(?:\d{1,2}[/.\- ]|\d{4}|1er)"
    r"|\b(?:date de naissance|ddn|naissance)\b\W{0,3}\d|\b(?:date de naissance|ddn)\b"
    r"|°\s?\d{1,2}[/.\-]\d{1,2}[/.\-]\d{2,4}"
    r"|\d{4}\s\(?naissance\b|\bborn\s(?:\s|(?:on|in)?\s?\d)|\bn\.\s?\d{1,2}[/.\-]\d{1,2}[/.\-]\d{2,4}"
    r"|\bagee?s?\s(?:d[e']\s?)?(?:environ\s)?\d{1,2}\b|\bage\s?:\s?\d{1,2}\sans\b"
    r"|\b(?:gamine?|gosse|j\.?[fh]\.?|fille|garcon|homme|femme|mineure?|enfant|jeune|ado|adolescente?|eleve|monsieur|madame"
    r"|individu|retraitee?|dame)\s(?:de\s)?\(?\d{1,2}\s?ans\b",
    "numero_de_voie": rf"(?:^|[^0-9a-z])\d{{1,4}}\s?(?:bis|ter|quater|[a-d])?\s?[,;:]?\s*"
    rf"(?:(?:dans|sur|de|du|la|le|l'|au)\s?){{0,3}}(?:{WAYS})(?:\s|$)"
    r"|\b(?:apt|app|appt|apprt|appartement|digicode|interphone|interph|porte|etage|logt?|chambre)\b"
    r"\.?\s?(?:n[o°]\s?)?[a-z]?\d{1,4}[a-z]?\b|\b\d{1,2}(?:er|e|eme|ieme)\setage\b"
    r"|\b(?:bat|batiment|esc|escalier|bt|entree|tour|bloc)\b\.?\s?[a-k]\d?(?:$|[\s,;]+(?:$|apt|appt"
    r"|app|esc|etage|porte|\d|n[o°]|[a-z]+ (?:gauche|droite)))"
    rf"|\b(?:{WAYS})\s[a-z' \-]{{2,40}},?\s(?:n[o°]?\.?\s?|au\s|numero\s)\d{{1,4}}\b"
    rf"|^(?:{WAYS})\s[a-z' \-]{{3,30}},\s?\d{{1,3}}$|\bdomicile\s?:\s?\d"
    rf"|\b(?:{WAYS})\s(?:des?|du|de la)\s[a-z' \-]{{2,30}},?\s?\(?\d{{1,4}}\)?(?: bis| ter)?$"
    r"|\b(?:lot|bloc|villa|maison|pavillon)\s?n?[o°]?\s\d{1,4}\b"
    r"|^\d{1,4}\s?(?:bis|ter|quater)?,?\s(?:la|le|les|l')\s?[a-z]{3,}"
    r"|\bau\s\d{1,4}(?:\s(?:bis|ter))?\s?,|\bnumero\s\d{1,4}\b\s?,|\bvilla\s(?:\"|mon\b|ma\b|les\b)"
    r"|\b(?:interphone|digicode)\b\s?:?\s?[a-z0-9]{2,}"
    r"|^\d{1,4}\s?(?:bis|ter)?,?\sr\s[a-z' \-]{3,30}(?:\d{5}|$)|^r\s[a-z' \-]{3,30}\s\d{1,3}$"
    r"|^\d{1,4}\s?(?:bis|ter)?,\s?[a-z' \-]{3,30}\((?:rue|avenue|boulevard|bd|place|chemin)\)"
    r"|\bparcelle\s[a-z]{1,2}\s?\d{1,4}\b|\bparcelle\s\d{1,4}\s?[a-z]{0,2}\s?\d*|\bcadastr(?:e|al)"
    r"|[\-+]?\d{1,2}\.\d{4,}\s?[,; ]\s?[\-+]?\d{1,3}\.\d{4,}"  # one point of the earth
    r"|[\-+]?\d{1,2},\d{4,}\s?[; ]\s?[\-+]?\d{1,3},\d{4,}"
    r"|\b\d{1,2}°\s?\d{1,2}(?:['.]|\s?\d)[^°]{0,14}\d{1,3}°"
    r"|\b[ns]\s?\d{1,2}\s\d{1,2}\.\d{2,}|\b\d{1,2}[c-x][a-hj-np-z]{2}\d{8,10}\b"
    r"|\blat(?:itude)?\s?[=:]\s?-?\d{1,2}[.,]\d{4,}"
    r"|\b[2-9cfghjmpqrvwx]{8}\+[2-9cfghjmpqrvwx]{2,3}\b|///?[a-z]+\.[a-z]+\.[a-z]+",
    "designation": r"\b(?:son|sa|ses|mon|ma|mes|leurs?|votre|l')\s?(?:ex[\s\-])?(?:compagn(?:on|e)"
    r"|mari|femme|epou(?:x|se)|fils|fille|freres?|soeurs?|mere|pere|parents|enfants?|voisine?s?"
    r"|concubine?|conjointe?|copine?|petite? amie?|amante?|cousine?|oncle|tante|neveu|niece|patron"
    r"|grand[\s\-](?:mere|pere)|belle[\s\-](?:mere|soeur|fille)|beau[\s\-](?:pere|frere|fils))s?\b"
    r"|\bl'?\s?ex[\s\-](?:compagn(?:on|e)|mari|femme|epou(?:x|se))\b"
    r"|\b(?:le|la|l'|un|une|patron(?:ne)?)\s?(?:gerante?|gardien(?:ne)?|presidente?|patron(?:ne)?"
    r"|directeur|directrice|proprietaire|locataire|concierge|boulangere?|cure|imam|pretre|rabbin"
    r"|maire|medecin|infirmiere?|serveur|serveuse|professeure?|instituteur|institutrice)\s(?:d|chez)"
    r"|\bpatron(?:ne)?\s(?:du\s)?(?:bar|snack|cafe)|^(?:adjointe? au )?maire (?:de|du)\b"
    r"|\bl'eleve\b|\b(?:la|le|une?)\s(?:vieille|vieux|jeune|grosse?|grande?)\s(?:dame|homme|femme"
    r"|fille|monsieur|garcon)\b|\ble\s(?:gitan|rom|manouche|turc|arabe|noir|comorien)\b"
    r"|\b(?:[a-z]\.\s?){2,3}(?:[,(]\s?)?(?:mineure?|majeure?|agee?|victime|domicilie|nee?)\b",
}  # fmt: skip

# A plate of before 2009: digits, letters, department. Hours, ordinals and units look like it.
OLD_PLATE = (
    r"(?<![\w-])\d{1,4}[ .\-]?([a-z]{1,3})[ .\-]?0?(?:0[1-9]|[1-8]\d|9[0-5]|2[ab]|97[1-6])(?![\w-])"
)
MAYBE_OLD = r"\d{1,4}[ .\-]?[a-z]{1,3}[ .\-]?\d"
# In capitals only: a moped's, and plates of elsewhere (Spain, Germany, Britain, Belgium, the
# Netherlands, Portugal, Romania, Poland, Austria, Switzerland, Turkey, Bulgaria, Ukraine, Russia);
# and the number of a French passport.
IN_CAPITALS = (
    r"(?:^|[^A-Z0-9\-])(?:[A-Z]{2}[\s\-]\d{2}[\s\-][A-Z]{1,2}|[A-Z][\s\-]\d{2,3}[\s\-][A-Z]{2,3}"
    r"|\d{4}[\s\-][B-DF-HJ-NP-TV-Z]{3}|[A-Z]{2}\d{2}\s?[A-Z]{3}|[1-9]-[A-Z]{3}-\d{3}"
    r"|[A-Z]{1,3}[\s\-][A-Z]{1,2}[\s\-]\d{3,4}|[A-Z]{1,3}[\s\-][A-Z]{1,2} \d{1,3}[EH]"
    r"|\d{2}-\d{2}-[A-Z]{2}|[A-Z]{2}-\d{3}-[A-Z]|[A-Z]{2} \d{4} [A-Z]{2}"
    r"|[A-Z]\d{3}[A-Z]{2} ?\d{2,3}"
    r"|[A-Z]-\d{4}-[A-Z]{2,3}|[A-Z]{1,2}-\d{5}[A-Z]|[A-Z]{1,2}[\s\-]\d{2,3}[\s\-][A-Z]{3}"
    r"|(?:A[IR]|B[ELS]|FR|G[ELR]|JU|LU|N[EW]|OW|S[GHOZ]|T[GI]|UR|V[DS]|Z[GH])[ \-]\d{5,6}|AG \d{6}"
    r"|\d{2}[ \-][A-Z]{2,3}[ \-]\d{3,4}|[A-Z]{2}-\d{4}-[A-Z]{2}|[A-Z]{2} \d{4}[A-Z]"
    r"|[012]\d[A-Z]{2}\d{5}|\d{2}-[A-Z]{2}-\d{2}|[A-Z]{2}-\d{2}-\d{2})(?:[^A-Z0-9\-]|$)"
)
NOT_PLATES = frozenset(
    "h e er m km kg l cm mm min bis ter rue av ave bd pl all imp che tra crs de du a et ou au s c "
    "eme ans mn g t x n no sur place p kw w v".split()
)
# A day and an hour are digits enough for a telephone, and nobody writes one so: a whole moment is
# taken away before one is looked for. What may go on as a number (« 12/05/24 06:12:34:56:78 ») is
# no moment, and stays; so does a moment of bare digits that other digits follow.
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?:19|20)\d{2}"
_DATE = rf"(?:{_DAY}[/.\-]{_DAY}[/.\-]{_YEAR}|{_YEAR}[/.\-_]{_DAY}[/.\-_]{_DAY})"
_MONTH = (
    r"(?:jan(?:uary|vier|uar)?|feb(?:ruary|ruar)?|fevr?(?:ier)?|mar(?:ch|s|z)?|apr(?:il)?|avr(?:il)?"
    r"|may|mai|june?|juin|juni|july?|juil(?:let)?|juli|aug(?:ust)?|aout|sept?(?:ember|embre)?"
    r"|o[ck]t(?:ober|obre)?|nov(?:ember|embre)?|de[cz](?:ember|embre)?)"
)
# A day whose month is a word, which may be a first name (« April »).
WORDED_DAY = (
    rf"\b(?:{_DAY}(?:er|st|nd|rd|th)?[.\s\-]{{1,2}}{_MONTH}\b\.?,?[\s\-]{_YEAR}"
    rf"|{_MONTH}\b\.?\s{_DAY}(?:st|nd|rd|th)?,?\s{_YEAR})\b"
)
_HOUR = r"(?:[01]?\d|2[0-4])"
_CLOCK = (
    rf"{_HOUR}\s?[:h]\s?[0-5]\d(?::[0-5]\d(?:[.,]\d{{1,9}})?)?(?:\s?[ap]\.?m)?"
    r"(?:\s?(?:z|utc|gmt|uhr|h)\b|[+\-](?:00|[01]\d:?(?:00|30|45)))?"
)
_THEN = r"(?:\s?[,;|_\-]\s?|\s?(?:a|t|at|um)\s?|\s)"
MOMENT = (
    rf"(?:\b(?:{_DATE}|{_DAY}[/.\-]{_DAY}[/.\-]\d{{2}}|{WORDED_DAY}){_THEN}{_CLOCK}"
    rf"|\b{_CLOCK}(?:\s?[,;|\-]\s?|\s(?:le\s)?){_DATE}"
    rf"|^{_DATE}\s{_HOUR}(?:\.[0-5]\d)?$|^{_DAY} {_DAY} {_YEAR} {_HOUR} [0-5]\d$"
    rf"|^{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[t _\-]?[0-2]\d[0-5]\d(?:[0-5]\d)?$)"
    r"(\s*\.?\s*(?:$|[^0-9:.\s]))"
    r"|\b\d{1,2}[/.\-]\d{1,2}[/.\-](?:19|20)\d{2},? ?(?:a |t)?\d{1,2}[:h]\d{2}\b"
    r"|\b(?:19|20)\d{2}-\d{2}-\d{2}"
    r"(?:[t ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:z|[+\-]\d{2}:?\d{2})?)?"
    r"|^(?:[01]?\d|2[0-4])\s?h\s?[0-5]\d$"
)
SPOKEN = (
    r"\b(?:je|j'ai|j|il|elle|ils|elles|nous|vous|on|m'a|s'est|c'est|est|sont|etait|etaient|avait"
    r"|ont|a ete|declare|signale|refuse|demande|habite|dit|indique|precise|vient|veut|fait|voisin"
    r"|voisine|mon|ma|mes|son|sa|ses|leur|merci|bonjour|svp)\b"
)
