"""Words of headers by subject, and common names of people."""

from socare_spark.onboarding.header_words import word_set

BIRTH = word_set(
    "dob yob birth born birthdate birthday birthdt birthyear dateofbirth dtofbirth bday"
)
# `birth` beside one of these is not the date of a birth.
NOT_A_BIRTH_DATE = word_set(
    "country town city county district ward place hospital weight order type status sex parity"
)
PERSON = word_set(
    "person per pers client child customer citizen resident patient pupil student learner member "
    "tenant applicant claimant carer mother father parent guardian individual "
    "householder cardholder holder recipient user complainant informant perpetrator victim "
    "offender defendant witness occupant occupier lodger owner patient inpatient baby infant "
    "adult husband wife son daughter brother sister attendee participant nominee payee who "
    "borrower reader"
)
# Numbers of a person. `pid` is a person's identifier of several case systems.
# Of these, the header alone decides. `nhs` alone can be a category, as in "NHS funded".
CERTAIN_NUMBER_OF_PERSON = word_set("nhsnumber nhsno upn uln ssn hesid")
NUMBER_OF_PERSON = word_set("nhs nhsnumber upn uln nino ssn nhsno pid crn mrn hesid")
STAFF = word_set(
    "staff officer worker caseworker socialworker keyworker employee operator operative manager "
    "assessor practitioner inspector technician owner handler resource responsible assignee "
    "reviewer by allocated assigned lead approver gp doctor dr nurse sw midwife clinician "
    "consultant therapist psychologist psychiatrist physician surgeon dentist teacher headteacher "
    "senco tutor coordinator adviser advisor supervisor driver engineer clerk author creator "
    "editor interviewer requester requestor referrer solicitor advocate councillor cllr "
    "professional visitor iro ot supporter agent"
)
# People beside the person of a record.
KIN = word_set(
    "contact kin nok relative sibling spouse partner landlord signature signed known sname maiden "
    "preferred reporter caller keyholder referee neighbour friend emergency attorney"
)
IDENTIFIER = word_set(
    "id ids identifier ref reference no num number nr key uid guid uuid urn uprn barcode account "
    "case enquiry record"
)
# Words that name an identifier without a look at its values.
STRICT_IDENTIFIER = word_set(
    "id ids identifier ref reference no nos num number nr uid guid uuid urn upn uln"
)
# People in a header of an identifier. A family is no person.
FAMILY = word_set("family families household")
COUNT = word_set("count total sum avg mean average amount population pop rate percent pct score of")
# Plurals without an s, as in "No adults and children".
PLURALS = word_set("children people men women staff")
# A number of one of these at the end of a header is a measure and no identifier.
MEASURE = word_set(
    "cost amount day hour week minute month quarter year value price age duration length size fee "
    "charge rent balance income spend budget band date time"
)
NAME_PARTS = word_set(
    "surname forename fname lname firstname lastname givenname familyname fullname initials alias "
    "aka nickname"
)
# `name` beside one of these is not the name of a person.
NOT_A_PERSON = word_set(
    "ward area lsoa msoa lad la street road school site centre center building library team "
    "service product activity event group department organisation organization council authority "
    "type category status file layer station provider supplier vendor company town city county "
    "district region country constituency pcon concept plain english problem title role agency "
    "practice surgery hospital clinic trust method channel mode preference language religion "
    "ethnicity nationality gender need reason outcome band home scheme project programme course"
)
PHONE = word_set("phone telephone tel mobile landline fax")
POSTCODE = word_set("postcode postal post pcd pcds zip pc pcode")
ADDRESS = word_set(
    "address addr street road house flat location premises property dwelling residence building "
    "apartment paon saon thoroughfare"
)
# Homes whose numbers are whole numbers, as "Flat" and "House no".
HOUSE = word_set("address addr house flat apartment plot room paon saon")
HOME = HOUSE | word_set("dwelling property premises")
NOT_AN_ADDRESS = word_set(
    "type category status id district city town zip email ward area age size band value tenure "
    "count condition cost date"
)
# Numbers that identify a home, a vehicle, an account or a document.
PRIVATE_NUMBER = word_set(
    "uprn usrn uarn blpu passport iban vrm vrn numberplate nino imei ip visa biometric"
)
PRIVATE_PAIRS = (
    (word_set("vehicle car van"), word_set("reg registration plate number no id")),
    (word_set("bank"), word_set("account acct acc number no sort code")),
    (word_set("sort"), word_set("code")),
    (word_set("driving driver"), word_set("licence license number no")),
    (word_set("national"), word_set("insurance")),
    (word_set("ni"), word_set("number no")),
)
FREE_TEXT = word_set(
    "note notes comment comments remark remarks narrative text details detail summary explanation "
    "feedback message observations specify memo diary statement concern concerns"
)
# Texts in these columns are notes even if they are short and repeat.
NOTES = word_set(
    "note notes comment comments remark remarks narrative observations allegation memo diary "
    "specify statement"
)
AREA = word_set(
    "ward lsoa msoa oa lad la area region district county constituency pcon locality authority "
    "council neighbourhood neighborhood parish borough library site centre station school "
    "country city town dfe laestab wd ctry rgn cty ctyua ced par ttwa icb"
)
# Words of columns whose texts are categories.
CATEGORY = word_set(
    "type category status reason outcome ethnicity ethnic ethnicgroup gender sex service team "
    "provider department stage decision priority need needs disability accommodation tenure "
    "language religion nationality marital sexuality legal classification class code band level "
    "description desc item element activity event process subprocess sector industry source "
    "method channel group programme offence subject theme topic action result risk plan package "
    "product title role label kind queue direction benefit fund budget ledger month day week season"
)
# Of the words of categories and of bodies, those whose columns can also have names of people.
CAN_HAVE_NAMES = word_set(
    "title agency source provider supplier vendor company label description desc subject queue "
    "role group item home scheme practice kind"
)
# With one of these in its header, a column has categories, or names of places and bodies.
NOT_NAMES = (CATEGORY | NOT_A_PERSON | AREA) - CAN_HAVE_NAMES
# Texts that are answers and no names.
ANSWERS = word_set(
    "yes no unknown n/k true false other none refused declined pending active inactive open closed "
    "male female adult child"
) | {"not known", "not stated", "not asked", "not recorded", "not applicable"}
X = word_set("x easting eastings east ea lon long longitude lng oseast osx")
Y = word_set("y northing northings north lat latitude osnorth osy")
DEGREES = word_set("lon long longitude lng lat latitude")

# Common names in the United Kingdom, by which a column of names is recognised.
NAMES = word_set(
    "james john robert michael william david richard joseph thomas charles christopher daniel "
    "matthew anthony mark paul steven andrew kenneth joshua george kevin brian edward ronald "
    "timothy jason jeffrey ryan jacob gary nicholas eric jonathan stephen larry justin scott "
    "brandon benjamin samuel gregory frank alexander raymond patrick jack dennis peter harry "
    "oliver noah arthur leo oscar archie muhammad mohammed mohammad ahmed ali hassan hussain "
    "ibrahim yusuf omar imran mary patricia jennifer linda elizabeth barbara susan jessica sarah "
    "karen lisa nancy betty margaret sandra ashley emily donna michelle carol amanda dorothy "
    "melissa deborah stephanie rebecca sharon laura cynthia kathleen amy angela shirley anna "
    "brenda emma nicole helen samantha katherine christine rachel carolyn janet catherine maria "
    "heather diane ruth julie olivia joyce virginia victoria kelly lauren christina joan evelyn "
    "judith megan andrea cheryl hannah jacqueline martha gloria teresa ann sara madison frances "
    "kathryn janice jean abigail alice julia judy sophia grace denise amber doris marilyn "
    "danielle beverly isabella theresa diana natalie brittany charlotte marie kayla alexis lori "
    "fatima aisha maryam zainab khadija priya sunita smith jones taylor brown williams wilson "
    "johnson davies patel robinson wright thompson evans walker roberts edwards hughes lewis khan "
    "singh kaur begum"
)
