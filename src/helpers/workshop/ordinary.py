"""Words that name columns and states, and nobody: what a draft may copy from a file it first sees.

No form tells « tapage » from a family name: only a word that is known is copied. The list is of
common knowledge, in French and English, without accents, and for columns in the languages of our
neighbours; a column whose name is made of others is
called by its position until a person vouches for it.
"""

from __future__ import annotations

import re
from unicodedata import combining, normalize

LONGEST = 80
SIGNS = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ0-9 _.,:'’()/%°-]+")
CAMEL = re.compile(r"(?<=[a-zà-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])")
RANKED = re.compile(r"([a-z]+)\d{1,2}")  # adr2
RANK = re.compile(r"[a-z]?\d{1,2}|(?:19|20)\d\d")  # p13, 2, 2019: beside a word, in snake_case

# Words that stand between others, and single letters that name a column.
SHORT = frozenset(
    """
a au aux d de des du en et l la le les of ou par pour sur the un une x y z n nb no
""".split()
)
COLUMNS = frozenset(
    """
id ids uid uuid fid oid gid objectid num numero nums number identifiant identifier ident cle key
code codes cod ref reference rang rank ordre order index idx ligne row version edition champ field
type types kind nature natures categorie categories category famille family sous soustype classe
classes class classement groupe group niveau niv level grade note indice motif motifs objet
libelle libelles lib label libcourt intitule titre titles title nom noms prenom prenoms name names
surname description desc commentaire commentaires comment comments remarque remarques observation
observations texte text txt message details detail resume date dates jour jours day days mois
month months an ans annee annees year years semaine weeks week trimestre heure heures hour hours
hr hrs hrmn hhmm minute minutes mn min seconde secondes sec time temps moment horodatage timestamp
ts datetime debut fin start end begin beginning first last premier premiere dernier derniere
creation created create modification modified maj update updated saisie saisi recu reception
received reported report declare declaree declaration decla datedecl anneedecl moisdecl occurrence
occurred occ ouverture ouvert ouverte cloture clos closed open prevu prevue effet duree delai
duration age ages naissance ddn birth publication coded played single periode period saison season
creneau slot millesime mill frequence lieu lieux place endroit site position adresse adresses adr
address addr voie rue street block commune communes com ville villes city municipality quartier
quartiers qua neighborhood nbhd neighbourhood secteur secteurs sector zone zones district
districts precinct arrondissement arrondissements arr iris departement departements dep dept depco
region regions reg pays country state county carreau maille ilot parcelle territoire territory
perimetre canton cv insee codgeo libgeo libdep postal cp zip epci scot geo geom geometry geometrie
shape point lon lng long longitude lat latitude coord coords coordonnee coordonnees coordina crs
xcoord ycoord gps easting northing altitude surface aire area km metres meter metre distance rayon
radius section cadastre station stations arret arrets gare lignes agg intersection int nombre nbre
nbr total totaux somme sum count counts compte comptes quantite qte effectif effectifs valeur
valeurs value values mesure mesures measure taux tx ratio part pct pourcent pourcentage percent
share moyenne moyen mean median mediane maximum max minimum ecart std unite unit units montant
prix cout tarif amende recette budget pourmille mille densite density population pop habitants hab
menages menage logements logement log adultes adulte enfants reponses reponse invites invite
revenu tranche strate vague enquete survey question statut status etat situation suite suites
issue resultat result decision priorite priority urgence urgent gravite grav severity severite
danger qualite quality fiabilite reliability valide valid validite verdict source sources origine
origin canal channel mode moyens support media url lien link fichier file photo image piece jointe
document doc convention fait faits crime crimes incident incidents infraction infractions offense
offence delit delits evenement evenements event events action actions intervention interventions
mission missions signalement signalements demande demandes request requests plainte plaintes
complaint complaints alerte alertes appel appels call calls accident accidents acc procedure
procedures arrete arretes verbalisation verbalisations pv natinf controle controles constat
constats patrouille patrouilles ronde rondes fourriere enlevement enlevements restitution service
services agency agence responsible responsable direction division brigade equipe equipes equipage
equipages force police gendarmerie municipal municipale municipaux public publique publics
national nationale pm asvp agent agents referent partenaire partenaires organisme etablissement
structure publisher vehicule vehicules vehicle vehicles voiture velo moto trottinette scooter deux
roues camion bus tram metro catv catr plaque plaques immatriculation immat plate marque modele
couleur genre sexe sex gender matricule tel telephone telephones portable phone mobile mail email
courriel contact usager usagers victime victimes auteur auteurs temoin requerant demandeur
riverain riverains user meteo temperature temp pluie vent rafale humidite tn tm tamplitude tampli
ciel lum luminosite atm atmosphere col collision eclairage luminaire lampadaire camera cameras
capteur capteurs sensor borne bornes horodateur panneau banc mobilier arbre parking stationnement
circulation trafic traffic vitesse flux debit comptage affluence attendance frequentation capacite
capacity match matchs team home away stade stadium game score jauge dose actif active ferie
vacances ecole ecoles commerce commerces qpv bruit proprete voirie is has extension prefixe prefix
suffixe suffix extended attributes attribut attributs properties case fyear dow echantillon sample
poids weight technique annexe divers indicateur indicateurs weekday location intervenant night
park tauxpourmille conseil canine brigades compl complement competences dispo diffuse
""".split()
)
STATES = frozenset(
    """
oui non vrai faux true false yes ok nc nr neant aucun aucune autre autres other inconnu inconnue
unknown indetermine vide absent present partiel complet complete ouverts close cloturee ferme
fermee encours cours attente traite traitee traites rejete rejetee annule annulee validee termine
terminee planifie suspendu inactif nouveau nouvelle ancien transmis transmise affecte resolu
resolue accepte acceptee refuse refusee executee execute faible fort forte eleve elevee haut haute
bas basse normal normale grave critique urgente mineur majeur vert jaune orange rouge bleu gris
nuit matin midi soir soiree apres journee lundi mardi mercredi jeudi vendredi samedi dimanche
janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre printemps ete
automne hiver monday tuesday wednesday thursday friday saturday sunday nord sud est ouest centre
north south east west appli application web guichet courrier internet accueil terrain video
videosurveillance citoyen habitant citizen tapage depot depots sauvages bruits nuisance nuisances
sonore sonores voisinage degradation degradations vol vols cambriolage cambriolages violence
violences agression agressions rixe rixes incivilite incivilites ivresse stupefiants rodeo rodeos
regroupement rassemblement occupation squat mendicite camping feu feux incendie tag tags graffiti
affichage affiche encombrant encombrants dechet dechets ordures dejections salete eau fuite
chaussee trottoir signalisation panne epave epaves abandonne abandonnee genant genante gene
animaux animal chien nuisibles securite secours tranquillite prevention surveillance assistance
theft robbery burglary assault vandalism noise larceny arson drug weapon property person society
pieton pietons
""".split()
)
# Of Catalan, Spanish, Portuguese, Italian, German and Dutch: what dates, places and counts a row.
NEIGHBOURS = frozenset(
    """
codi codis codigo codigos codice codici numeros numeri nummer anzahl aantal expedient expediente
any anys anos anno anni jahr jahre jaar mes mesos meses mese maand monat dia dies dias giorno
giorni tag tage datum data fecha hora hores horas ora ore stunde uur uhrzeit minuto minutos minuti
setmana semana settimana woche torn turno inici inicio inizio beginn fi fim fine ende
barri barris barrio barrios bairro districte districtes distrito distritos distretto quartiere
bezirk stadtteil wijk buurt seccio seccion censal municipi municipio comune gemeinde gemeente
provincia comarca zona zonas ciudad ciutat cidade citta stadt longitud latitud longitudine
latitudine coordenada coordenadas coordinata coordinate utm easting northing etrs
tipus tipo tipos typus categoria causa causes motiu motivo estat estado stato zustand clase
vehicles vehiculos veicoli fahrzeuge implicats implicados morts muertos morti lesionats
lesionados greus lleus graves leves victimes descripcio descripcion descrizione beschreibung
incidencia incidente unfall ongeval vianant totale gesamt
""".split()
)
WORDS = SHORT | COLUMNS | STATES | NEIGHBOURS
ALONE = frozenset(
    ("n", "nb", "x", "y", "z")
)  # of the short ones, those that are a name by themselves


def words(name: str) -> list[str]:
    """Return the parts of a name in lower case, without accents (« nbFaits_2019 »: nb, faits…)."""
    apart = normalize("NFD", CAMEL.sub("_", name))
    bare = "".join(sign for sign in apart if not combining(sign)).casefold()
    return [part for part in re.split(r"[^a-z0-9]+", bare) if part]


def is_ordinary(name: str) -> bool:
    """Tell whether the name is made of words of the list alone, and of their ranks."""
    if len(name) > LONGEST or not SIGNS.fullmatch(name):
        return False
    snake = "_" in name and " " not in name
    telling = 0
    for part in words(name):
        ranked = RANKED.fullmatch(part)
        word = ranked[1] if ranked and ranked[1] in COLUMNS | NEIGHBOURS else part
        if word in WORDS:
            telling += word not in SHORT or word in ALONE
        elif not (snake and RANK.fullmatch(part)):
            return False
    return telling > 0
