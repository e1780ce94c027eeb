"""First names and family names common in France and in Marseille, without accents, in lower case.

Facts written from common knowledge, no list was copied: a name that is missing is caught by its
form (a civility, capitals, an initial), and may be added here.
"""

from __future__ import annotations

# First names that are hardly ever anything else.
FIRST = frozenset(
    """
aaron abbas abdallah abdel abdelaziz abdelkader abdelkarim abdellah abdoul abdoulaye abdourahmane
abel abigail aboubacar achille achraf adam adama adelaide adele adeline adil adnan adrien adrienne
agathe agnes ahlem ahmed aicha aida aime aimee aissa aissata aissatou akim akram alain alassane
albane albert alberto alessandro alessia alex alexandra alexandre alexia alexis alfred ali alia
alice alicia alima aline alioune alisson alix allan alpha alphonse amadou amanda amandine amar
ambre amel amelie amina aminata amine amir amira ana anais anas anastasia andre andrea andree
andreea ange angela angele angelina angelique anh anissa anita ann anna annabelle anne annette
annick annie anouchka anouk anthony antoine antoinette antonella antonia antonin antonio antony
apolline aram araxie arham ariane arlette arman armand armel armelle arnaud arsene artem arthur
asma assane assia assya astrid atef attoumani auguste augustin aurelie aurelien aurore avedis axel
axelle ayman aymen aymeric ayoub aziz aziza bakary baptiste barbara basile bastian bastien batiste
batti beatrice beatriz bechir belkacem benedicte benjamin benoit bernadette bernard bertrand betty
bilal bilel billel binh blaise blanche boina boris boualem boubacar brahim brandon brice brigitte
bruno bryan calixte camelia camille candice carine carla carlo carlos carole carolina caroline
cassandra catalina catherine cecile cedric celeste celestin celia celine cesar chafik chahinez
chantal charlene charles charlie charline charlotte cheick cheikh chems cherif cherifa cheyenne
chloe chris christelle christian christiane christine christophe christopher cindy claire clara
clarisse claude claudette claudia claudine clemence clement clementine clothilde clotilde clovis
colette colin coline combo constance constantin coralie corentin corinne cyprien cyril cyrille
dalia dalila damien daniel daniela daniele danielle danny daouda daphne david deborah delphine
denis denise desire desiree diana diane didier diego dieynaba dimitri djamel djamila djibril
djoumoi dominica dominique donatien dora dorian doriane dorine dorothee driss duc dung dylan
echati eddy edgar edgard edith edmond edouard eduardo edwige elena eleonora eleonore eliane elias
elie eliot eliott elisa elisabeth elise elizabeth ella elliot elodie eloi eloise elsa elvire elyas
elyes emeline emeric emile emilie emilien emilio emily emma emmanuel emmanuelle enzo eric erica
erika ernest erwan erwann esteban estelle esther ethan etienne eugene eugenie eva evan evelyne
ewan fabien fabienne fabio fabrice fadila fadoua faical faiza fanny fanta faouzia farah fares
farid farida farouk fathi fatiha fatima fatma fatna fatou fatoumata faustine faycal federico
felicia felicie felicien felix ferdinand ferhat fernand fernande fernando fethi filipe fiona
firmin flavie flavien flora florence florent florentin florian florine fodil fouad fouzia
francesca francesco francine francis francisco franck francois francoise frederic frederique gabin
gabriel gabriela gabriele gabriella gabrielle gael gaelle gaetan garabed gary gaspard gaston
gauthier gautier genevieve geoffrey geoffroy georges georgette georgia gerald geraldine gerard
germain germaine ghislain ghislaine ghizlane ghjulia giacomo gian giancarlo gilbert gilberte
gilles gina ginette giorgio giovanni gisele giulia giuseppe gladys gloria gonzalo goran graziella
gregoire gregory guilhem guillaume guillermo gustave guy gwenael gwenaelle gwendoline hacene hadja
hadrien hafida hafsa hagop haidar hakim hakima halima halimatou hamadi hamid hamida hamidou hamza
hanae hanane hanna hannah hassan hassane hassani hassiba hatem hayat hector hedi helena helene
heloise henri henriette henry herve hicham hichem hilaire hind hippolyte hoang hocine honore
honorine hortense houari houda houria houssam houssem hovsep hubert hugo hugues huguette huong
hussein ibrahim ibrahima idris idriss ignace igor ilan ilhan ilhem ilian iliana ilies ilyas ilyes
iman imane imen imene imran ines ingrid irene irina iris isaac isabel isabelle isaline ishak islam
ismael ismahane ismail issa issam issouf ivan ivana jackie jacky jacob jacqueline jacques jade
jalil jamal james jamila jana janine jasmine jason javier jawad jean jeanne jeannette jeannine
jennifer jenny jeremie jeremy jerome jessica jessy jihad jihane jimmy joachim joana joao joaquim
joceline jocelyn jocelyne joel joelle joey johan johann johanna john johnny jonas jonathan jordan
jorge jose josee joseph josephine josette joshua josiane josselin joyce juan judith jules julia
julian juliana julie julien julienne juliette juline justin justine kader kadiatou kadidiatou
kahina kais kamal kamel kamelia karen karim karima karine karl kassandra katell katherine kathleen
kathy katia kelly kenza kevin khadidja khadija khadijatou khaled khalid khalil khanh kheira kim
kimberly koffi kouadio kouame krikor kylian laetitia lahcen laila lamia lamine lan landry lara
larbi larissa latifa laura laure laureen laureline lauren laurence laurent laurette laurie laurine
lauryn layla lazare lea leandre leandro leane leila lena leo leon leonard leonardo leonie leonor
leopold leslie leyla lia liam lila lilia lilian liliane lilly lily lina linda line linh lino
lionel lisa lise lisette livia logan loic lois lola lorenzo loris lorraine lotfi lou louane louay
loubna louis louisa louise louka louna lounes luc luca lucas lucette lucia luciana lucie lucien
lucienne lucile lucille ludivine ludovic luigi luis luisa luka lukas lydia lydie lyes lylou lyna
maddalena mael maeline maelle maelys maeva magali maggy mahamadou mahdi maher mahmoud mai maimouna
maissa makan malak malek malik malika mallory malo mamadou maman mamoudou manal manel manoel
manolo manon manuel manuela manuella marc marceau marcel marcelle marco marcos mardiros margaux
margot margueritte maria mariam mariama mariame marianne marie mariella marielle marilyne marina
marine mario marion marjolaine marjorie marlene marouane martha marthe martial martine marvin
marwa marwan mary maryam maryline maryse maryvonne mateo matheo mathias mathieu mathilde mathis
mathys matteo matthias matthieu matthis mattia maud maurice mauricette maxence maxime maximilien
maya mayeul mayssa mbarek medhi medhy meguerditch mehdi mehmet melanie melina meline melissa
melodie melvin meriem merwan messaoud messaouda mia michael michel michele micheline michelle
miguel mikael mike mila milan milo miloud mina minh mireille miriam mirna mkadara mmadi mohamed
mohammed mohand moinaecha moise mokhtar mona monia monica monique morad morgan morgane mouna
mounia mounir mourad moussa moustafa moustapha muhammad muriel mustafa mustapha mylene myriam
nabil nabila nacer nacera nacim nada nadege nadia nadine nadir nadjat naima nairi najat najib
nancy naomi narcisse narek nasser nassim nassima nassuf natacha nathalie nathan nathanael nawal
nawel nazeli nazim neila nelly nelson nesrine nestor nezha ngoc nguyet nicolas nicole nina nino
nizar noa noah noe noel noelie noelle noemie noha nolan nolwenn nora norbert nordin nordine
noufissa nour noura noureddine nourredine oceane octave odette odile odilon olga olive oliver
olivia olivier omar omer ophelie orane oriane ornella oscar othman othmane otman ouafa ouarda
oumar oumou ousmane oussama pablo paola paolina paolo pascal pascale pascaline patrice patricia
patrick paul paula paule paulette paulin pauline paulo pedro peggy perrine philippe philomene
phong phuong pierrette pierrick priscilla prosper prudence quentin quoc rabah rabia rachel rachid
rachida rafael raissa ralph rami ramon ramzi rania raoul raphael raphaelle rayan rayane raymond
raymonde rebecca reda redouane regine regis reine remi remy renaud rene renee reynald riad ricardo
richard rita riyad robert roberta roberte roberto robin rocco rodolphe rodrigo rodrigue roger
rokia roland rolande romain roman romane romaric romeo romuald ronan rosa rosalie rosanna rose-
marie roseline roselyne rosemarie rosetta roxane ruben rudy ryad ryan saad sabah sabine sabri
sabrina sacha sadia sadio safa safia said saida salah salem salif salim salima salimata salimou
sally salma salome salvatore sam samantha samba sami samia samir samira samson samuel samy sana
sanae sandie sandra sandrine sandy sara sarah sarkis saskia satenik savannah saveriu sebastian
sebastien segolene selena selim selima selma serge sergio servane sevan severin severine shaima
shana shirley siaka sibylle sidi sidonie sihem silvia simon simone sinan sirine sixtine skander
slimane sofia sofian sofiane soizic solange solene soline sonia sophia sophian sophie soraya souad
souhila soukaina souleymane soumaya stacy stanislas stella stephan stephane stephanie steve steven
sullivan suzanne suzette suzy swann sylvain sylvaine sylvette sylvia sylviane sylvie sylvio tahar
tamara tanguy tania tarek tariq tatiana tayeb teddy teo tess tessa thaddee thais thanh theo
theodora theodore theophile therese thi thibaud thibault thibaut thierno thierry thomas thuy tiago
tidiane tiffany tim timeo timothe timothee tina tino titouan tom tommy tony toufik toussaint trang
tristan tuan tuyet typhaine ugo ulysse urbain ursula vahan valentin valentina valentine valeriane
valerie valery vanessa vartan vera veronique vianney victoire victor victoria victorien vincent
vincenzo violaine violette virgile virginia virginie vivian viviane vivien vladimir wael wafa
wahiba wahid walid warren wassim wendy wiam wilfrid wilfried william willy wissam xavier yacine
yael yahia yahya yakoub yamina yanel yanick yanis yann yannick yannis yara yasin yasmina yasmine
yassin yassine yassir yazid yehia ylan ymane yoan yoann yohan yohann yolande yoni youcef younes
youness youri yousra youssef youssouf yusuf yvan yves yvette yvon yvonne zacharie zahia zahra
zaina zakaria zakary zaki zalihata zaven zeinab zelie zhor ziad zineb zinedine zoe zohra zoubida
zouhair zoulikha
""".split()
)

# First names that are words, places or months too: they count only beside a family name.
AMBIGUOUS = frozenset(
    """
aime alpha ange anis aurore blanche celeste cesar claire clemence colin constance desire diane
felix fleur florence france gloria guy honore iris islam jade jasmine jihad juste larissa lina
line lorraine lou luc mai maman marguerite marin marine melodie merci modeste noe noel olive opale
parfait paris pascal perle pierre prosper prudence reine roman rose salem sam soline thi tom
toussaint urbain victoire violette virginie
""".split()
)

FAMILY = frozenset(
    """
abbas abdallah abdou abdoulaye achour adam ahamada ahamadi ahmed aissaoui akbar albertini ali
allouche amar amari andre andrei andreoli antoine arnaud arnoux attoumani aubert aubry avakian
ayari aziz azzouz ba bacar bagdasarian bah bailly balde barbier baron baroudi barre barry
barthelemy bastien baudry beaumont belaid belhadj belkacem bellini ben benaissa benali benamar
benchikh benmoussa bennani benoit benzema benzerga berger bernard bertolini bertrand bianchi
billard blanc blanchard bonnet bouaziz bouchard boucher bouchet boudjemaa boukhari boulanger
bouras bourgeois bousquet bouvier boyer brahimi bressac breton brun brunet caillaud camara camus
caron carpentier cartier casanova castelli cesari chaabane chabert chahine charpentier charrier
chauvin cherif chevalier chevallier cisse clement colin colonna combes cordier costa coulibaly
courtois cousin da dacosta damien daniel david delacroix delaunay delmas denis derdouri deschamps
deshayes devaux dia diallo diarra dieng diop djabri djellali do dos dubois duboscq ducasse dufour
dumont dupond dupont dupuis dupuy durand duval el esposito estienne etienne fabre fall faure
fernandes fernandez ferrand ferrari ferrero fischer fleury fofana fontaine fournier francois
fuentes gaillard garabedian garcia garnier gasparian gaudin gauthier gautier georges gerard gharbi
gilbert gilles giordano girard giraud giuliani gomes gomez gomis goncalves gonzales gonzalez
gosselin grondin guerin guichard guidicelli guillaume guillot guyot haddad haddou hadj hamdi
hamidi hamidou hamza haouari hassan hassane hassani henry hernandez herve hoang hoarau houssein
hubert huet hugon humbert husson ibrahim issa jacob jacquet jean jimenez joly jourdan julien kaci
kaddour kamara karim keita khaldi khelifa kherbache klein konate kone lacroix lambert lamy lang
laroche laurent le leblanc lebrun leclerc lecomte lefebvre lefevre leger legrand lemaire lemoine
leroux leroy leveque lombardi lopes lopez louis lucas luciani madi mahamoud mahieu maillard malik
mallet mansouri marchal marchand mariani marie marin marino marques martin martinez martini marty
mary masson mathieu mattei maurel maurin mayer mbae mebarki meddeb mendes merah mercier merle
messaoudi meunier meyer michaud michel miloudi mnemoi moreau morel moreno moretti morin moulinier
moussa muller nasri navarro ndiaye nguyen nicolai nicolas noel olivier omar ortega ortiz ottavi
ouali ouedraogo oukaci pages paoli papazian pasquier pastor paul payet pelletier pereira perez
perret perrier perrin perrot petit petrossian pham philippe picard pichon pierre pietri pinto
poggi poirier pons prevost qadri rahmani rahmouni ramos raynaud remy renard renaud rey reynaud
ribeiro ricard richard riviere robert robin rocca roche rodrigues rodriguez roger rolland romero
rossi rousseau roussel roux ruiz saadi sabatier sadi sahraoui said saidi salah salem sanchez sane
sangare santiago santoni santos sarkissian sarr sauvage schmidt schneider seck segura serra
serrano sidhoum sidibe silva simon simonian slimani soares soler souissi soulaimana sow sylla
tahri taleb tallec tavares terzian thiam thomas tissot tomasi toumi tran traore vasseur vial vidal
vincent vinciguerra vo weber yahiaoui yildiz yilmaz zaoui zerrouki ziani zidane zitouni
""".split()
)
