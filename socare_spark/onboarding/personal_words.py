"""Words of headers by subject, and common names of people."""

from socare_spark.onboarding.header_words import word_set

BIRTH = word_set("dob birth born birthdate birthday dateofbirth")
PERSON = word_set(
    "person per pers client child customer citizen resident patient pupil student learner member "
    "tenant applicant claimant carer mother father parent guardian individual subject "
    "householder cardholder holder recipient user"
)
NUMBER_OF_PERSON = word_set("nhs nhsnumber upn uln nino ssn nhsno")
STAFF = word_set(
    "staff officer worker caseworker socialworker employee operator manager assessor practitioner "
    "inspector technician owner handler resource responsible assignee reviewer by allocated "
    "assigned lead approver gp doctor nurse sw"
)
# People beside the person of a record.
KIN = word_set(
    "contact kin nok relative sibling spouse partner landlord signature signed known sname maiden "
    "preferred reporter"
)
IDENTIFIER = word_set(
    "id ids identifier ref reference no num number nr key uid guid uuid urn uprn barcode account "
    "case enquiry record"
)
COUNT = word_set("count total sum avg mean amount population pop rate percent pct score of")
NAME_PARTS = word_set(
    "surname forename fname lname firstname lastname givenname familyname fullname initials alias"
)
# `name` beside one of these is not the name of a person.
NOT_A_PERSON = word_set(
    "ward area lsoa msoa lad la street road school site centre center building library team "
    "service product activity event group department organisation organization council authority "
    "type category status file layer station provider supplier vendor company town city county "
    "district region country constituency pcon concept plain english problem title role"
)
PHONE = word_set("phone telephone tel mobile landline fax")
POSTCODE = word_set("postcode postal post pcd pcds zip pc pcode")
ADDRESS = word_set("address addr street road house flat location premises property")
NOT_AN_ADDRESS = word_set("type category status id district city town zip email")
FREE_TEXT = word_set(
    "note notes comment comments remark remarks narrative text details detail summary explanation "
    "feedback message observations"
)
# Texts in these columns are notes even if their phrases repeat.
NOTES = word_set("note notes comment comments remark remarks narrative observations allegation")
AREA = word_set(
    "ward lsoa msoa oa lad la area region district county constituency pcon locality authority "
    "council neighbourhood neighborhood parish borough library site centre station school "
    "country city town"
)
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
