print("antechamber")
